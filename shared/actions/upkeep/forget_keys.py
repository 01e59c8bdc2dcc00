"""Forget Idempotency-Keys after a day. From then on, the same key makes a new request (D-33)."""

from datetime import timedelta

from sqlalchemy import bindparam, delete, select

from shared.database.clock import read_db_moment
from shared.database.retries import retried
from shared.database.units import execute, query, write_unit
from shared.models.idempotency import idempotency_keys

# The time for which a client may repeat a request.
_LIFE = timedelta(hours=24)
# Keys that a sweep forgets at most. The next sweep takes the rest.
_BATCH = 500


@retried
def forget_keys() -> int:
    """Delete a batch of keys whose day is over. Returns how many."""
    ids = query(_old, {"before": read_db_moment() - _LIFE}).scalars()
    if ids:
        with write_unit():
            execute(_forget, {"ids": ids})
    return len(ids)


_old = (
    select(idempotency_keys.c.id)
    .where(idempotency_keys.c.created_at < bindparam("before"))
    .order_by(idempotency_keys.c.created_at)
    .limit(_BATCH)
)
_forget = delete(idempotency_keys).where(idempotency_keys.c.id.in_(bindparam("ids", expanding=True)))
