"""What the sweeper does: nothing accepted is forgotten, whoever died.

Each function picks ids without locks, then takes one guarded transaction a reply, so any number may run at once.
"""

import logging
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from sqlalchemy import ColumnElement, Integer, and_, case, exists, func, literal, select, update

from shared.actions.claim_reply import Claim, claim_of
from shared.actions.dispatch import dispatch
from shared.actions.finish_reply import LAPSED, OVERDUE, Answer, Superseded, cancel_untried, fail_reply, give_back
from shared.db import db_now, execute, query, write_unit
from shared.errors import ReplyTimeout, WorkerLost
from shared.models.chat import chat_sessions
from shared.models.message import Status, has_status, messages
from shared.models.user import lock_owner
from shared.queues import hand_over

log = logging.getLogger(__name__)

# Rows a sweep; the next one takes the rest.
BATCH = 100
# Doublings of the patience; more would pass every deadline, and at last the range of the numbers.
_MOST_DOUBLINGS = 10
# Milliseconds after a hand-over before it is repeated; each repeat waits twice as long as the one before.
_PATIENCE = 10_000

_now = db_now()
_repeats = case((messages.c.handovers > _MOST_DOUBLINGS, _MOST_DOUBLINGS), else_=messages.c.handovers)
_due_again = messages.c.dispatched_at + _PATIENCE * (literal(2).op("<<", return_type=Integer())(_repeats) - 1)
_waiting = and_(has_status(Status.PENDING), messages.c.dispatched_at.is_not(None))


def rescue_lapsed() -> int:
    """Replies whose worker stopped renewing: run them again, or fail them once their failures are used up."""
    return sum(_rescue(claim, saved) for claim, saved in _claims(LAPSED))


def expire_overdue() -> int:
    """Replies that waited past their deadline: end them and give the credits back."""
    return sum(_expire(claim, saved) for claim, saved in _claims(OVERDUE))


def give_turns() -> int:
    """Users with a due reply and a free turn: a back-off ended, or a finisher died before it could dispatch."""
    due = and_(
        has_status(Status.PENDING),
        messages.c.dispatched_at.is_(None),
        func.coalesce(messages.c.not_before, 0) <= _now,
        ~exists().where(chat_sessions.c.id == messages.c.chat_session_id, chat_sessions.c.parked_at.is_not(None)),
    )
    # in any order, so that owners whose turns are all taken don't keep the others out of the batch
    some = select(messages.c.owner_id).where(due).group_by(messages.c.owner_id).order_by(func.random()).limit(BATCH)
    owners = query(some)
    return sum(len(_give_turns(row.owner_id)) for row in owners)


def hand_over_again(everything: bool) -> int:
    """Replies that have their turn but no worker took: put them on the queue again.

    After 10, 20, 40 … s; or all of them at once, when Redis has lost its queue.
    """
    which = _waiting if everything else and_(_waiting, _due_again < _now)
    done: list[str] = []
    while ids := _some_ids(which, after=done[-1] if done else None):
        again = update(messages).where(messages.c.id.in_(ids), _waiting).values(handovers=messages.c.handovers + 1)
        with write_unit():
            execute(again)
        hand_over(ids)
        done += ids
    return len(done)


def _some_ids(which: ColumnElement[bool], after: str | None) -> list[str]:
    some = select(messages.c.id).where(which).order_by(messages.c.id).limit(BATCH)
    return [row.id for row in query(some.where(messages.c.id > after) if after else some)]


def _claims(which: ColumnElement[bool]) -> list[tuple[Claim, Answer]]:
    rows = query(select(messages).where(which).order_by(messages.c.id).limit(BATCH))
    return [(claim_of(row), Answer(row.content, row.live_index)) for row in rows]


def _rescue(claim: Claim, saved: Answer) -> bool:
    with _unless_superseded():
        if not give_back(claim, 0, LAPSED):
            fail_reply(claim, WorkerLost(), saved, LAPSED)
        log.warning("reply.rescued: its worker stopped renewing the lease, reply=%s", claim.id)
        return True
    return False


def _expire(claim: Claim, saved: Answer) -> bool:
    with suppress(Superseded):  # it had a turn: then it failed, and says so
        cancel_untried(claim)
        return True
    with _unless_superseded():
        fail_reply(claim, ReplyTimeout(), saved, OVERDUE)
        return True
    return False


@contextmanager
def _unless_superseded() -> Iterator[None]:
    with suppress(Superseded):  # someone was quicker, which is as good
        yield


def _give_turns(owner_id: str) -> list[str]:
    with write_unit():
        lock_owner(owner_id)
        turns = dispatch(owner_id)
    hand_over(turns)
    return turns
