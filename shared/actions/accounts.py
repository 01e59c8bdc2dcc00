"""Make an account, with its first credits in the ledger from the first moment; disable, enable and delete one."""

from sqlalchemy import bindparam, delete, insert, select, true, update
from sqlalchemy.exc import IntegrityError

from shared.actions.erase import erase, tell_erased
from shared.actions.hand_over_again import begin_anew
from shared.actions.revoke import revoke, revoke_no_more, tell
from shared.actions.sign_ins import end_all_sign_ins
from shared.core import current_settings
from shared.database.clock import utc_now
from shared.database.retries import retried
from shared.database.tables import new_id
from shared.database.units import execute, query, write_unit
from shared.errors.requests import EmailTaken
from shared.models import User
from shared.models.chat import chat_sessions
from shared.models.credits import GRANT, record
from shared.models.idempotency import idempotency_keys
from shared.models.sign_in import sign_ins
from shared.models.user import lock_owner, users
from shared.queues import hand_over
from shared.redis.revocations import of_user
from shared.wire.events import Event

# A deleted account's email is its own id: nobody has it.
_find = select(users.c.id).where(users.c.email == bindparam("address"), users.c.deleted_at.is_(None))
_set_disabled = update(users).where(users.c.id == bindparam("whose")).values(disabled_at=bindparam("at"))


@retried
def create_account(email: str, password_hash: str, role: str = "user") -> User:
    """Store a user and the credits granted at sign-up. Raises EmailTaken."""
    granted = current_settings().signup_credits
    user_id = new_id()
    user = {"id": user_id, "email": email, "password_hash": password_hash, "role": role, "credits": granted}
    try:
        with write_unit():
            execute(insert(users), user)
            record(user_id, GRANT, granted, "sign-up")
    except IntegrityError as error:
        raise EmailTaken from error
    return User(**user)


def find_account(email: str) -> str | None:
    """The id of the account that has this email, disabled or not."""
    found: str | None = query(_find, {"address": email}).scalar()
    return found


@retried
def disable_account(user_id: str) -> None:
    """End every session; nothing can be asked for until enable_account(). What a worker is writing, it ends as ever."""
    with write_unit():
        lock_owner(user_id)
        execute(_set_disabled, {"whose": user_id, "at": utc_now()})
        end_all_sign_ins(user_id)
        voids = revoke(of_user(user_id))
    tell(voids)


@retried
def enable_account(user_id: str) -> None:
    """Let the user sign in again, and what waits run; what ended with disabling stays so."""
    with write_unit():
        lock_owner(user_id)
        execute(_set_disabled, {"whose": user_id, "at": None})
        voids = revoke_no_more(of_user(user_id))
        waiting = begin_anew(user_id)
    tell(voids)
    hand_over(waiting)


@retried
def delete_account(user_id: str) -> None:
    """Erase everything that the user wrote or was answered, and the user; the ledger keeps ids and amounts.

    Replies that are not final end with their credits back. Every token stops working; the email is free again.
    """
    with write_unit():
        lock_owner(user_id)
        erased = erase(user_id, true(), events=1)
        now = utc_now()
        mine = update(chat_sessions).where(chat_sessions.c.owner_id == user_id, chat_sessions.c.deleted_at.is_(None))
        execute(mine.values(title="", settings={}, deleted_at=now, updated_at=now, seq=erased.account.seq))
        execute(delete(idempotency_keys).where(idempotency_keys.c.user_id == user_id))
        execute(delete(sign_ins).where(sign_ins.c.user_id == user_id))
        # its own id where the email was: unique, and with no @ nobody can sign in or up with it
        emptied = {"email": user_id, "password_hash": None, "deleted_at": now}
        execute(update(users).where(users.c.id == user_id).values(emptied))
        voids = revoke(of_user(user_id))
    tell(voids)
    tell_erased(erased, [Event(user_id, "resync", {})])  # open tabs then find that they are signed out
