"""Make an account, with its first credits in the ledger from the first moment; and delete one."""

from sqlalchemy import delete, insert, true, update
from sqlalchemy.exc import IntegrityError

from shared.actions.erase import erase, tell_erased
from shared.core import current_settings
from shared.db import execute, new_id, utc_now, write_unit
from shared.errors import EmailTaken
from shared.events import Event
from shared.models import User
from shared.models.chat import chat_sessions
from shared.models.credits import GRANT, record
from shared.models.idempotency import idempotency_keys
from shared.models.user import lock_owner, users
from shared.units import retried


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
        # its own id where the email was: unique, and with no @ nobody can sign in or up with it
        emptied = {"email": user_id, "password_hash": None, "deleted_at": now}
        execute(update(users).where(users.c.id == user_id).values(emptied))
    tell_erased(erased, [Event(user_id, "resync", {})])  # open tabs then find that they are signed out
