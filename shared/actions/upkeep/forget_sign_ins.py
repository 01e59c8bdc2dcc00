"""Forget sign-ins whose refresh token has expired."""

from sqlalchemy import bindparam, delete, select

from shared.database.clock import read_db_moment
from shared.database.retries import retried
from shared.database.units import execute, query, write_unit
from shared.models.sign_in import sign_ins

# Rows that a sweep forgets at most. The next sweep takes the rest.
_BATCH = 500


@retried
def forget_sign_ins() -> int:
    """Delete a batch of sign-ins whose refresh token has expired. Returns how many."""
    ids = query(_over, {"now": read_db_moment()}).scalars()
    if ids:
        with write_unit():
            execute(_forget, {"ids": ids})
    return len(ids)


_over = select(sign_ins.c.id).where(sign_ins.c.expires_at < bindparam("now")).limit(_BATCH)
_forget = delete(sign_ins).where(sign_ins.c.id.in_(bindparam("ids", expanding=True)))
