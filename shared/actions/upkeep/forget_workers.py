"""Forget worker processes that died without taking their row away."""

from sqlalchemy import not_, select

from shared.actions.queue.presence import was_seen_within
from shared.actions.upkeep.forget import forget
from shared.models.worker import workers

# Milliseconds after which a worker that was not seen is forgotten. Long before that, it does not count as living.
_LIFE = 300_000


def forget_workers() -> int:
    """Delete a batch of workers that nobody has seen for five minutes. Returns how many."""
    return forget(workers, _gone, {})


_gone = select(workers.c.id).where(not_(was_seen_within(_LIFE)))
