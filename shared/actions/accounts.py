"""Make an account, with its first credits in the ledger from the first moment."""

from sqlalchemy import insert
from sqlalchemy.exc import IntegrityError

from shared.core import current_settings
from shared.db import execute, new_id, write_unit
from shared.errors import EmailTaken
from shared.models import User
from shared.models.credits import GRANT, record
from shared.models.user import users
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
