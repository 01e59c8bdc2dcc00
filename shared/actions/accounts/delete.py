"""Delete an account with everything in it."""

import logging
from typing import NamedTuple

from sqlalchemy import bindparam, delete, func, select, true, update

from shared.actions.accounts.receipt import Receipt, receipt_for
from shared.actions.accounts.revoke import revoke, tell
from shared.actions.accounts.sign_ins import end_all_sign_ins
from shared.actions.messages.erase import end_open
from shared.actions.messages.erasures import erase_account
from shared.actions.owner_unit import owner_unit
from shared.core import current_settings
from shared.database.clock import db_moment
from shared.database.retries import DATABASE_AWAY, retried
from shared.database.units import execute, query
from shared.models.chat import chat_sessions
from shared.models.idempotency import idempotency_keys
from shared.models.message import messages
from shared.models.sign_in import sign_ins
from shared.models.user import users
from shared.redis.revocations import of_user
from shared.wire.events import Event

log = logging.getLogger(__name__)


@retried
def delete_account(user_id: str) -> Receipt:
    """Erase the user, and everything that the user wrote or was answered. The ledger keeps ids and amounts.

    Open replies end, and their credits return. Every token stops working, and the email is free again. From the commit
    on, no answer shows anything of the account. If it has much text, the sweeper erases the rest.
    """
    count = _counted(user_id)  # outside of the unit, because it reads all rows, and SQLite has one lock
    with owner_unit(user_id, acting=True) as unit:
        end_open(unit, user_id, true(), events=1)
        erase_account(user_id, unit.account.seq)
        execute(delete(idempotency_keys).where(idempotency_keys.c.user_id == user_id))
        revoked = revoke(of_user(user_id), end_all_sign_ins(user_id))
        execute(delete(sign_ins).where(sign_ins.c.user_id == user_id))
        # The user's own id replaces the email (D-22). An id is unique, and nobody can sign in with a name without an @.
        emptied = {"email": user_id, "password_hash": None, "deleted_at": db_moment()}
        execute(update(users).where(users.c.id == user_id).values(emptied))
        unit.tell(Event(user_id, "resync", {}))  # open tabs read anew, and find that they are signed out (D-23)
    tell(revoked)
    return receipt_for(current_settings(), count.chats, count.messages)


class _Counts(NamedTuple):
    chats: int | None
    messages: int | None


def _counted(user_id: str) -> _Counts:
    """The numbers for the receipt, without them if there are too many rows to count in time.

    A deletion must not fail for that (D-133). If the whole database is away, the deletion's unit says so.
    """
    try:
        return query(_counts, {"user_id": user_id}, row=_Counts)[0]
    except DATABASE_AWAY as error:
        log.warning("account.not_counted: %s; the receipt has no numbers, user=%s", type(error).__name__, user_id)
        return _Counts(None, None)


_counts = select(
    *(
        select(func.count())
        .where(table.c.owner_id == bindparam("user_id"), table.c.deleted_at.is_(None))
        .scalar_subquery()
        .label(name)
        for name, table in (("chats", chat_sessions), ("messages", messages))
    )
)
