"""Give waiting replies their turn: one at a time in a chat, a few at a time for a user.

Runs inside every unit that may free or take a turn, under the owner's lock; the caller hands over after the commit.
"""

from sqlalchemy import bindparam, case, exists, func, select, update

from shared.core import current_settings
from shared.database.clock import db_now
from shared.database.prepared import Prepared
from shared.database.units import execute
from shared.models.chat import chat_sessions
from shared.models.message import IS_OPEN, messages

_now = db_now()
_open = (
    select(
        messages.c.id,
        messages.c.chat_session_id,
        messages.c.position,
        messages.c.attempt,
        messages.c.dispatched_at,
        messages.c.not_before,
    )
    .where(
        messages.c.owner_id == bindparam("user_id"),
        IS_OPEN,
    )
    .cte("open_replies")
)
_earlier = _open.alias("earlier")
_turns = (
    select(_open.c.id, func.row_number().over(order_by=_open.c.id).label("turn"))
    .join(chat_sessions, chat_sessions.c.id == _open.c.chat_session_id)
    .where(
        _open.c.dispatched_at.is_(None),
        func.coalesce(_open.c.not_before, 0) <= _now,
        chat_sessions.c.parked_at.is_(None) | (_open.c.attempt > 0),  # what has begun is not held up
        ~exists().where(_earlier.c.chat_session_id == _open.c.chat_session_id, _earlier.c.position < _open.c.position),
    )
    .cte("turns")
)
_taken = select(func.count()).where(_open.c.dispatched_at.is_not(None)).scalar_subquery()
# A reply that ran before keeps its deadline: nothing extends it.
_deadline = case((messages.c.attempt == 0, _now + bindparam("queue_ms")), else_=messages.c.deadline_at)
_give_turns = Prepared(
    update(messages)
    .where(messages.c.id.in_(select(_turns.c.id).where(_turns.c.turn <= bindparam("most") - _taken)))
    .values(dispatched_at=_now, deadline_at=_deadline, handovers=0)
    .returning(messages.c.id)
)

#: How many replies of `:user_id` are open, as a column of another statement.
open_replies = (
    select(func.count())
    .select_from(messages)
    .where(messages.c.owner_id == bindparam("user_id"), IS_OPEN)
    .scalar_subquery()
    .label("open_replies")
)


def dispatch(user_id: str) -> list[str]:
    """Stamp the replies whose turn has come; their ids, to be handed over after the commit."""
    settings = current_settings()
    given = execute(
        _give_turns,
        {
            "user_id": user_id,
            "most": settings.max_active_replies,
            "queue_ms": int(settings.queue_timeout * 1000),
        },
    )
    return given.scalars()
