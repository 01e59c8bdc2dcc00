"""Forget Idempotency-Keys after a day. From then on, the same key makes a new request (D-33)."""

from datetime import timedelta

from sqlalchemy import bindparam, select

from shared.actions.upkeep.forget import forget
from shared.database.clock import read_db_moment
from shared.models.idempotency import idempotency_keys

# The time for which a client may repeat a request.
_LIFE = timedelta(hours=24)


def forget_keys() -> int:
    """Delete a batch of keys whose day is over. Returns how many."""
    return forget(idempotency_keys, _old, {"before": read_db_moment() - _LIFE})


_old = (
    select(idempotency_keys.c.id)
    .where(idempotency_keys.c.created_at < bindparam("before"))
    .order_by(idempotency_keys.c.created_at)
)
