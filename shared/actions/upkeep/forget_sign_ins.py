"""Forget sign-ins whose refresh token has expired."""

from sqlalchemy import bindparam, select

from shared.actions.upkeep.forget import forget
from shared.database.clock import read_db_moment
from shared.models.sign_in import sign_ins


def forget_sign_ins() -> int:
    """Delete a batch of sign-ins whose refresh token has expired. Returns how many."""
    return forget(sign_ins, _over, {"now": read_db_moment()})


_over = select(sign_ins.c.id).where(sign_ins.c.expires_at < bindparam("now"))
