"""Give waiting replies their turn: one at a time in a chat, a few at a time for a user.

dispatch() runs inside every unit that may free or take a turn, under the owner's lock. The caller hands over after
the commit.
"""

from sqlalchemy import ColumnElement, ScalarSelect, and_, bindparam, case, func, select, update

from shared.actions.replies.states import candidates
from shared.core import current_settings
from shared.database.clock import db_now
from shared.database.prepared import Id, Prepared
from shared.database.units import execute, query
from shared.models.message import IS_OPEN, has_status, messages
from shared.models.status import Status

#: Milliseconds between a hand-over and the first repeat by the sweeper. Each later pause is twice as long (D-84).
PATIENCE = 10_000


#: How many replies of `:user_id` are open, as a column of another statement.
open_replies = (
    select(func.count())
    .select_from(messages)
    .where(messages.c.owner_id == bindparam("user_id"), IS_OPEN)
    .scalar_subquery()
    .label("open_replies")
)


def queued(before: ColumnElement[int] | None = None) -> ScalarSelect[int]:
    """How many replies of all users are on the queue: they have their turn, but no worker. `before` is a moment."""
    other = messages.alias("other")
    count = select(func.count()).select_from(other).where(has_status(Status.PENDING, other))
    has_turn = other.c.dispatched_at.is_not(None) if before is None else other.c.dispatched_at < before
    return count.where(has_turn).scalar_subquery()


def dispatch(user_id: str) -> list[str]:
    """Stamp the replies whose turn has come. Returns their ids, for the hand-over after the commit."""
    settings = current_settings()
    values = {
        "user_id": user_id,
        "most": settings.max_active_replies,
        "queue_ms": int(settings.queue_timeout * 1000),
    }
    return [given.id for given in execute(_give_turns, values)]


def next_turns(user_id: str) -> list[str]:
    """Like dispatch(), for a unit that ends a reply whose worker may be gone. The ids include first_turn().

    A worker hands that one over itself when its own reply ends (`workers/job.py`, D-131).
    """
    given = dispatch(user_id)
    return list(dict.fromkeys(first_turn(user_id) + given))


def first_turn(user_id: str) -> list[str]:
    """The id of the user's reply that has had its turn for longest, if the user has no running reply.

    While another one ran, a worker may have put this reply aside. It must not wait for room any more (D-115).
    """
    return [reply.id for reply in query(_first_turn, {"user_id": user_id})]


_now = db_now()
_candidates = candidates(messages.c.owner_id == bindparam("user_id"), _now).subquery()
_turns = select(
    _candidates.c.id, _candidates.c.taken, func.row_number().over(order_by=_candidates.c.id).label("turn")
).subquery()
_free = select(_turns.c.id).where(_turns.c.turn <= bindparam("most") - _turns.c.taken)
# A reply that ran before keeps its deadline, which nothing extends.
_deadline = case((messages.c.attempt == 0, _now + bindparam("queue_ms")), else_=messages.c.deadline_at)
_give_turns = Prepared(
    update(messages)
    .where(messages.c.id.in_(_free))
    .values(dispatched_at=_now, deadline_at=_deadline, handovers=0, hand_over_at=_now + PATIENCE)
    .returning(messages.c.id),
    Id,
)
_open = and_(messages.c.owner_id == bindparam("user_id"), IS_OPEN)
_has_its_turn = has_status(Status.PENDING) & messages.c.dispatched_at.is_not(None)
_runs_one = select(messages.c.id).where(_open, has_status(Status.RUNNING)).exists()
_first_turn = Prepared(
    select(messages.c.id).where(_open, _has_its_turn, ~_runs_one).order_by(messages.c.dispatched_at).limit(1), Id
)
