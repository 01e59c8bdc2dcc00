"""Make an account, together with the ledger entry of its first credits. Find an account by its email."""

from sqlalchemy import bindparam, insert, select
from sqlalchemy.exc import IntegrityError

from shared.core import current_settings
from shared.database.prepared import Id
from shared.database.retries import retried
from shared.database.tables import new_id
from shared.database.units import execute, query, write_unit
from shared.errors.requests import EmailTaken
from shared.models import User
from shared.models.credits import GRANT, record
from shared.models.user import users


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
    found = query(_find, {"address": email}, row=Id).first()
    return found.id if found else None


# A deleted account has its own id in place of the email (D-22). No user can send an id as an email.
_find = select(users.c.id).where(users.c.email == bindparam("address"), users.c.deleted_at.is_(None))
