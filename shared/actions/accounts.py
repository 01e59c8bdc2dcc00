"""Make an account, with its first credits in the ledger from the first moment."""

from sqlalchemy.exc import IntegrityError

from shared.core import current_settings
from shared.db import new_id, write_unit
from shared.errors import EmailTaken
from shared.models import User
from shared.models.credits import GRANT, record


def create_account(email: str, password_hash: str, role: str = "user") -> User:
    """Store a user and the credits granted at sign-up. Raises EmailTaken."""
    granted = current_settings().signup_credits
    user = User(id=new_id(), email=email, password_hash=password_hash, role=role, credits=granted)
    try:
        with write_unit() as session:
            session.add(user)
            session.flush()  # the ledger's entry refers to it
            record(user.id, GRANT, granted, "sign-up")
    except IntegrityError as error:
        raise EmailTaken from error
    return user
