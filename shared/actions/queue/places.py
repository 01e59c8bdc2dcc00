"""The place of a reply that waits: how many come before it, when it may begin, and whether any worker lives."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from sqlalchemy import bindparam, case, exists, func, select, true

from shared.actions.queue.presence import LIVES, was_seen_within
from shared.database.clock import utc_now
from shared.database.prepared import Prepared
from shared.database.units import query
from shared.models.chat import chat_sessions
from shared.models.message import IS_OPEN, has_status, messages
from shared.models.status import Status
from shared.models.worker import WORKER, workers

# The time whose completions tell how fast replies end, and how many of them are enough for a guess.
_SPAN, _ENOUGH = timedelta(minutes=5), 5
# The newest completions that are counted. Of more than these, the shorter time in which they came counts.
_MOST = 500


class QueuePlace(NamedTuple):
    """The place of a waiting reply. The moment is a guess, and None without one (D-173)."""

    ahead: int
    estimated_start_at: datetime | None
    no_worker: bool


def queue_places(user_id: str, reply_ids: Iterable[str]) -> dict[str, QueuePlace]:
    """The places of those of these replies of the user that wait. One statement reads everything (D-173)."""
    now, wanted = utc_now(), set(reply_ids)
    mine = query(_mine, {"user_id": user_id, "since": now - _SPAN})
    return {row.id: _place(row, mine, now) for row in mine if row.id in wanted and row.status == Status.PENDING}


class _Open(NamedTuple):
    """An open reply of the user. `queued` counts all users' replies on the queue, as far as they come before it."""

    id: str
    chat_session_id: str
    position: int
    status: str
    dispatched_at: int | None
    parked_at: datetime | None
    queued: int
    completions: int
    oldest: datetime | None
    no_worker: bool


def _place(reply: _Open, mine: list[_Open], now: datetime) -> QueuePlace:
    queued = {one.id for one in mine if _is_queued_before(one, reply)}
    before = queued | {one.id for one in mine if _comes_before(one, reply)}
    ahead = reply.queued - len(queued) + len(before)
    return QueuePlace(ahead, _guess(reply, ahead, now), reply.no_worker)


def _is_queued_before(one: _Open, reply: _Open) -> bool:
    """Whether this reply is among those that `reply.queued` counts."""
    if one.status != Status.PENDING or one.dispatched_at is None:
        return False
    return reply.dispatched_at is None or one.dispatched_at < reply.dispatched_at


def _comes_before(one: _Open, reply: _Open) -> bool:
    """Whether this reply of the same user must end, or gets its turn, before that reply begins."""
    if one.chat_session_id == reply.chat_session_id:
        return one.position < reply.position
    if reply.dispatched_at is not None:
        return False
    return one.dispatched_at is not None or (one.parked_at is None and one.id < reply.id)


def _guess(reply: _Open, ahead: int, now: datetime) -> datetime | None:
    """The moment at which everything ahead has ended, at the pace of the last minutes."""
    if reply.no_worker or reply.completions < _ENOUGH or reply.oldest is None:
        return None
    if reply.parked_at is not None and reply.dispatched_at is None:
        return None  # it waits for its owner
    span = _SPAN if reply.completions < _MOST else now - reply.oldest
    return now + ahead * span / reply.completions


_own = (
    select(*(messages.c[name] for name in ("id", "chat_session_id", "position", "status", "dispatched_at")))
    .where(messages.c.owner_id == bindparam("user_id"), IS_OPEN)
    .subquery("own")
)
_other = messages.alias("other")
_on_the_queue = (
    select(func.count())
    .select_from(_other)
    .where(has_status(Status.PENDING, _other), _other.c.dispatched_at.is_not(None))
)
_queued = case(
    (_own.c.status != Status.PENDING, 0),
    (_own.c.dispatched_at.is_(None), _on_the_queue.scalar_subquery()),
    else_=_on_the_queue.where(_other.c.dispatched_at < _own.c.dispatched_at).scalar_subquery(),
)
_done = messages.alias("done")
_newest = (
    select(_done.c.completed_at)
    .where(
        has_status(Status.COMPLETED, _done), _done.c.reply_to.is_not(None), _done.c.completed_at > bindparam("since")
    )
    .order_by(_done.c.completed_at.desc())
    .limit(_MOST)
    .subquery("newest")
)
_pace = select(func.count().label("completions"), func.min(_newest.c.completed_at).label("oldest")).subquery("pace")
_lives: Any = exists().where(workers.c.kind == WORKER, was_seen_within(LIVES))
_mine = Prepared(
    select(
        *_own.c,
        chat_sessions.c.parked_at,
        _queued.label("queued"),
        _pace.c.completions,
        _pace.c.oldest,
        (~_lives).label("no_worker"),
    )
    .join(chat_sessions, chat_sessions.c.id == _own.c.chat_session_id)
    .join(_pace, true()),
    _Open,
)
