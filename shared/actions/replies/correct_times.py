"""Correct times that lie impossibly far ahead, because the database's clock was set back since they were written.

Without this, a reply would lie there for as long as the clock was set back: nobody would rescue it, give it its turn,
hand it over or end it (D-119). All times here are of the database's clock.
"""

from typing import Any, NamedTuple

from sqlalchemy import BigInteger, ColumnElement, and_, bindparam, case, or_, select, update

from shared.actions.queue.dispatch import PATIENCE
from shared.actions.queue.hand_over_again import MOST_DOUBLINGS
from shared.actions.replies.states import LONGEST_PAUSE
from shared.core import current_settings
from shared.database.clock import db_now
from shared.database.prepared import Id
from shared.database.retries import retried
from shared.database.units import execute, query, write_unit
from shared.models.message import IS_OPEN, messages
from shared.settings.fields import LONGEST_LEASE

# Rows that a sweep corrects at most. The next sweep takes the rest.
_BATCH = 500


@retried
def correct_times() -> int:
    """Correct such times of open replies. Returns how many replies had one. Locked rows wait for the next sweep."""
    settings = current_settings()
    limits = {
        "lease_ms": int(settings.lease_seconds * 1000),
        "reply_ms": int(settings.reply_timeout * 1000),
        "queue_ms": int(settings.queue_timeout * 1000),
        "turn_ms": int(settings.turn_timeout * 1000),
    }
    ids = [row.id for row in query(_some, limits, row=Id)]
    if not ids:
        return 0
    with write_unit():
        return len(execute(_correct, limits | {"ids": ids}))


class _Time(NamedTuple):
    """A column, the most milliseconds that it may lie ahead, and those that a correction leaves."""

    column: ColumnElement[int]
    most: Any
    left: Any


def _ms(name: str) -> ColumnElement[int]:
    return bindparam(name, type_=BigInteger)


_now = select(db_now()).scalar_subquery()
_pauses = {handovers: PATIENCE << handovers for handovers in range(MOST_DOUBLINGS)}
_limit = case(
    (messages.c.attempt > 0, _ms("reply_ms")),
    (messages.c.dispatched_at.is_not(None), _ms("queue_ms")),
    else_=_ms("turn_ms"),
)
_times = [
    # A worker that lives renews a corrected lease in time. Otherwise it lapses, as after any death. The most is that of
    # any setting: a worker may have another one than this program, while they restart one after the other.
    _Time(messages.c.lease_until, LONGEST_LEASE * 1000, _ms("lease_ms")),
    _Time(messages.c.deadline_at, _limit, _limit),
    _Time(messages.c.not_before, int(LONGEST_PAUSE * 1000), 0),
    _Time(messages.c.dispatched_at, 0, 0),
    _Time(messages.c.hand_over_at, case(_pauses, value=messages.c.handovers, else_=PATIENCE << MOST_DOUBLINGS), 0),
]
_impossible = and_(IS_OPEN, or_(*(time.column > _now + time.most for time in _times)))
_some = select(messages.c.id).where(_impossible).limit(_BATCH)
_free = select(messages.c.id).where(messages.c.id.in_(bindparam("ids", expanding=True)), _impossible)
_correct = (
    update(messages)
    .where(messages.c.id.in_(_free.with_for_update(skip_locked=True)))
    .values(
        {time.column: case((time.column > _now + time.most, _now + time.left), else_=time.column) for time in _times}
    )
    .returning(messages.c.id)
)
