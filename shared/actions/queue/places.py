"""The place of a reply that waits: how many come before it, when it may begin, and whether any worker lives."""

from collections.abc import Iterable
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import bindparam, case, select

from shared.actions.queue.dispatch import queued
from shared.actions.queue.pace import current_pace
from shared.database.prepared import Prepared
from shared.database.units import query
from shared.models.chat import chat_sessions
from shared.models.message import IS_OPEN, messages
from shared.models.status import Status


class QueuePlace(NamedTuple):
    """The place of a waiting reply. The moment is a guess, and None without one (D-154)."""

    ahead: int
    estimated_start_at: datetime | None
    no_worker: bool


def queue_places(user_id: str, reply_ids: Iterable[str]) -> dict[str, QueuePlace]:
    """The places of those of these replies of the user that wait. One statement reads what is ahead of them."""
    wanted, mine = set(reply_ids), query(_mine, {"user_id": user_id})
    return {row.id: _place(row, mine) for row in mine if row.id in wanted and row.status == Status.PENDING}


def place_behind(ahead: int, *, parked: bool = False) -> QueuePlace:
    """The place behind so many replies. In a parked chat it has no moment, because the reply waits for its owner."""
    pace = current_pace()
    return QueuePlace(ahead, None if parked else pace.after(ahead), pace.no_worker)


class _Open(NamedTuple):
    """An open reply of the user. `queued` counts all users' replies on the queue, as far as they come before it."""

    id: str
    chat_session_id: str
    position: int
    status: str
    dispatched_at: int | None
    parked_at: datetime | None
    queued: int


def _place(reply: _Open, mine: list[_Open]) -> QueuePlace:
    on_queue = {one.id for one in mine if _is_queued_before(one, reply)}
    before = on_queue | {one.id for one in mine if _comes_before(one, reply)}
    parked = reply.parked_at is not None and reply.dispatched_at is None
    return place_behind(reply.queued - len(on_queue) + len(before), parked=parked)


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


_own = (
    select(*(messages.c[name] for name in ("id", "chat_session_id", "position", "status", "dispatched_at")))
    .where(messages.c.owner_id == bindparam("user_id"), IS_OPEN)
    .subquery("own")
)
_queued = case(
    (_own.c.status != Status.PENDING, 0),
    (_own.c.dispatched_at.is_(None), queued()),  # read once for all rows
    else_=queued(before=_own.c.dispatched_at),
)
_mine = Prepared(
    select(*_own.c, chat_sessions.c.parked_at, _queued.label("queued")).join(
        chat_sessions, chat_sessions.c.id == _own.c.chat_session_id
    ),
    _Open,
)
