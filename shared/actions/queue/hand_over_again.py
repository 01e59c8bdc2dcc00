"""Put replies on the queue again that have their turn but that no worker took: the job got lost, or none is there."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Integer,
    Row,
    Select,
    and_,
    bindparam,
    case,
    cast,
    literal,
    or_,
    select,
    update,
)
from sqlalchemy.sql.dml import ReturningUpdate

from shared.actions.queue.hand_over import go_on_from, hand_over, lost_from, queue_is_empty
from shared.core import current_link
from shared.database.clock import db_now
from shared.database.prepared import Prepared
from shared.database.retries import retried
from shared.database.units import execute, query, write_unit
from shared.models.message import IS_OPEN, Status, has_status, messages

# Hand-overs a sweep: an emptied Redis is soon full again, and what is posted meanwhile comes in between.
BATCH = 250
# Milliseconds after a hand-over before it is repeated; each repeat waits twice as long as the one before.
_PATIENCE = 10_000
# Milliseconds that a first hand-over may be under way; past them, and with nothing on the queue, there was none.
_UNDER_WAY = 2_000
# Doublings of the patience; from then on it stays at three hours. More would at last pass the range of the numbers.
_MOST_DOUBLINGS = 10
_MOST_PATIENCE = _PATIENCE << _MOST_DOUBLINGS

_now = select(db_now()).scalar_subquery()
_further = case((messages.c.handovers > _MOST_DOUBLINGS, messages.c.handovers - _MOST_DOUBLINGS), else_=0)
_doublings = literal(2).op("<<", return_type=Integer())(messages.c.handovers - _further)
_due_again = messages.c.dispatched_at + _PATIENCE * (_doublings - 1) + cast(_further, BigInteger) * _MOST_PATIENCE
_waiting = and_(has_status(Status.PENDING), messages.c.dispatched_at.is_not(None))
_overlooked = and_(_waiting, messages.c.dispatched_at < _now - _PATIENCE, _due_again < _now)
_never = and_(_waiting, messages.c.dispatched_at < _now - _UNDER_WAY, or_(messages.c.handovers == 0, _due_again < _now))
_lost = and_(_waiting, messages.c.dispatched_at > bindparam("after"))
_begin_anew = Prepared(
    update(messages)
    .where(messages.c.owner_id == bindparam("user_id"), IS_OPEN, _waiting)
    .values(handovers=0)
    .returning(messages.c.id)
)
_some = select(messages.c.id, messages.c.dispatched_at).order_by(messages.c.dispatched_at).limit(BATCH)
_some_overlooked, _some_never, _some_lost = map(_some.where, (_overlooked, _never, _lost))


def _note(still: ColumnElement[bool]) -> ReturningUpdate[tuple[str]]:
    """Count the hand-over of those that are free; whoever holds one just now is doing something about it."""
    free = select(messages.c.id).where(messages.c.id.in_(bindparam("ids", expanding=True)), still)
    return (
        update(messages)
        .where(messages.c.id.in_(free.with_for_update(skip_locked=True)))
        .values(handovers=messages.c.handovers + 1)
        .returning(messages.c.id)
    )


_note_overlooked, _note_never, _note_lost = map(_note, (_overlooked, _never, _lost))


def hand_over_again() -> int:
    """After 10, 20, 40 … s; and at once, in the order of their turns, when Redis has lost its queue.

    Whoever gave a turn may have died before the hand-over: where nothing is on the queue, that costs a sweep or two.
    """
    after = lost_from()
    if current_link().broken:
        return 0  # what can't be handed over isn't counted, or an outage would make the patience longer than itself
    if after is None:
        which = (_some_never, _note_never) if queue_is_empty() else (_some_overlooked, _note_overlooked)
        return len(_again(*which, {}))
    done = _again(_some_lost, _note_lost, {"after": after})
    if len(done) == BATCH:  # of two with a turn in the same millisecond, one may be left to its patience
        go_on_from(done[-1].dispatched_at)
    return len(done)


def begin_anew(user_id: str) -> list[str]:
    """A user's replies that have their turn, to be handed over after the commit; the patience with them begins anew."""
    return execute(_begin_anew, {"user_id": user_id}).scalars()


@retried
def _again(some: Select[Any], note: ReturningUpdate[tuple[str]], values: dict[str, int]) -> Sequence[Row[Any]]:
    rows = query(some, values)
    if rows:
        with write_unit():
            free = list(execute(note, {**values, "ids": [row.id for row in rows]}).scalars())
        hand_over(free)
    return rows
