"""Hand replies over again that have their turn but no worker: the job got lost, or no worker runs."""

from itertools import groupby
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Select, and_, bindparam, func, or_, select, update
from sqlalchemy.sql.dml import ReturningUpdate

from shared.actions.queue.dispatch import PATIENCE
from shared.actions.queue.hand_over import go_on_from, hand_over, lost_from, queue_is_empty
from shared.core import current_link
from shared.database.clock import db_now
from shared.database.prepared import Id, Prepared
from shared.database.retries import retried
from shared.database.units import execute, query, write_unit
from shared.models.message import IS_OPEN, has_status, messages
from shared.models.status import Status

# Hand-overs in one sweep (D-09). An emptied Redis is soon full again, and jobs of new posts come in between.
BATCH = 250
# Milliseconds that a first hand-over may take. If the queue is empty after them, the hand-over got lost (D-04).
_UNDER_WAY = 2_000
#: Doublings of the patience, at most. From then on, almost three hours pass between two hand-overs.
MOST_DOUBLINGS = 10


def hand_over_again() -> int:
    """Hand over again after 10, 20, 40 … s. Returns the number of replies.

    If Redis has lost its queue, the next sweeps hand all replies over, in the order of their turns (D-10). The program
    that gave a turn may have died before the hand-over. With an empty queue, that delays a reply by a sweep or two.
    """
    after = lost_from()
    if current_link().broken:
        return 0  # no hand-over works now, and a counted one would make the patience outlast the outage
    if after is None:
        return len(_again(*(_with_empty_queue if queue_is_empty() else _after_patience), {}))
    done = _again(*_after_loss, {"after": after})
    # The next batch begins after this millisecond. Another reply of the same millisecond waits for its patience.
    if len(done) == BATCH:
        go_on_from(done[-1].dispatched_at)
    return len(done)


def begin_anew(user_id: str) -> list[str]:
    """The ids of a user's replies that have their turn, to hand over after the commit. Their patience begins anew."""
    return [reply.id for reply in execute(_begin_anew, {"user_id": user_id, "pause_ms": PATIENCE})]


class _Waiting(NamedTuple):
    id: str
    dispatched_at: int
    handovers: int


@retried
def _again(some: Select[Any], note: ReturningUpdate[Any], values: dict[str, int]) -> list[_Waiting]:
    """Count a hand-over for each reply, set the time of its next one, then hand over."""
    rows = query(some, values, row=_Waiting)
    if not rows:
        return rows
    counted: set[str] = set()
    with write_unit():
        for handovers, alike in groupby(sorted(rows, key=_handovers), key=_handovers):
            pause = PATIENCE << min(handovers + 1, MOST_DOUBLINGS)
            ids = [row.id for row in alike]
            counted.update(reply.id for reply in execute(note, values | {"ids": ids, "pause_ms": pause}, row=Id))
    hand_over(row.id for row in rows if row.id in counted)
    return rows


def _handovers(row: _Waiting) -> int:
    return row.handovers


_now = select(db_now()).scalar_subquery()
_waiting = and_(has_status(Status.PENDING), messages.c.dispatched_at.is_not(None))
# A program of an older version sets no `hand_over_at`. The column is then empty, or has the time of an earlier turn.
_due_again = or_(messages.c.handovers == 0, func.coalesce(messages.c.hand_over_at, 0) < _now)
_count = {"handovers": messages.c.handovers + 1, "hand_over_at": db_now() + bindparam("pause_ms")}


def _statements(which: ColumnElement[bool]) -> tuple[Select[Any], ReturningUpdate[Any]]:
    """The statement that finds a batch, and the one that counts its hand-overs. The second skips locked rows."""
    columns = (messages.c.id, messages.c.dispatched_at, messages.c.handovers)
    some = select(*columns).where(_waiting, which).order_by(messages.c.dispatched_at).limit(BATCH)
    free = select(messages.c.id).where(messages.c.id.in_(bindparam("ids", expanding=True)), _waiting, which)
    free = free.with_for_update(skip_locked=True)
    return some, update(messages).where(messages.c.id.in_(free)).values(_count).returning(messages.c.id)


_after_patience = _statements(and_(messages.c.dispatched_at < _now - PATIENCE, _due_again))
_with_empty_queue = _statements(and_(messages.c.dispatched_at < _now - _UNDER_WAY, _due_again))
_after_loss = _statements(messages.c.dispatched_at > bindparam("after"))
_begin_anew = Prepared(
    update(messages)
    .where(messages.c.owner_id == bindparam("user_id"), IS_OPEN, _waiting)
    .values(handovers=0, hand_over_at=db_now() + bindparam("pause_ms"))
    .returning(messages.c.id),
    Id,
)
