"""What the sweeper does for replies whose worker or turn got lost: nothing accepted is forgotten, whoever died.

Each step picks a bounded batch without locks, then takes one guarded transaction a reply, so any number may run at
once. What is handed over again is in `hand_over_again.py`.
"""

import logging
from collections.abc import Callable, Iterable
from typing import Any

from sqlalchemy import ColumnElement, Row, Select, bindparam, func, select

from shared.actions.queue.dispatch import dispatch
from shared.actions.queue.hand_over import hand_over
from shared.actions.replies.claim import claim_of
from shared.actions.replies.finish import (
    HUNG,
    HUNG_AFTER,
    LAPSED,
    OVERDUE,
    Answer,
    Superseded,
    cancel_untried,
    fail_reply,
    give_back,
)
from shared.core import current_settings
from shared.database.clock import db_now
from shared.database.retries import DATABASE_AWAY, is_away, retried
from shared.database.units import query, write_unit
from shared.errors.replies import ReplyTimeout, WorkerLost
from shared.models.chat import chat_sessions
from shared.models.message import IS_OPEN, Status, has_status, messages
from shared.models.user import lock_owner

log = logging.getLogger(__name__)

# Rows that a step takes; the next sweep takes the rest.
BATCH = 100

# Only what stays the same for a whole statement can be looked up in an index, and a clock does not.
_now = select(db_now()).scalar_subquery()
_running = has_status(Status.RUNNING) & IS_OPEN  # in both words, since SQLite doesn't see that one implies the other


def _some(which: ColumnElement[bool]) -> Select[Any]:
    """A batch in any order: rows that cannot be ended don't keep the others out, and two sweepers seldom meet."""
    return select(messages).where(which).order_by(func.random()).limit(BATCH)


_lapsed = _some(_running & (messages.c.lease_until < _now))
_hung = _some(_running & (messages.c.deadline_at < _now - HUNG_AFTER))
_overdue = _some(has_status(Status.PENDING) & (messages.c.deadline_at < _now))

_open_chats = (
    select(
        messages.c.owner_id,
        messages.c.chat_session_id,
        func.min(messages.c.position).label("first"),
        func.count(messages.c.dispatched_at).label("taken"),
    )
    .where(IS_OPEN)
    .group_by(messages.c.owner_id, messages.c.chat_session_id)
    .cte("open_chats")
)
_with_a_free_turn = (
    select(_open_chats.c.owner_id)
    .group_by(_open_chats.c.owner_id)
    .having(func.sum(_open_chats.c.taken) < bindparam("most"))
)
# As dispatch() decides, but for everybody at once; so that nobody is locked to be given nothing.
_owners_in_wait = (
    select(_open_chats.c.owner_id)
    .join(
        messages,
        (messages.c.chat_session_id == _open_chats.c.chat_session_id) & (messages.c.position == _open_chats.c.first),
    )
    .join(chat_sessions, chat_sessions.c.id == _open_chats.c.chat_session_id)
    .where(
        _open_chats.c.taken == 0,
        _open_chats.c.owner_id.in_(_with_a_free_turn),
        has_status(Status.PENDING),
        func.coalesce(messages.c.not_before, 0) <= _now,
        chat_sessions.c.parked_at.is_(None) | (messages.c.attempt > 0),
    )
    .group_by(_open_chats.c.owner_id)
    .order_by(func.random())
    .limit(BATCH)
)


def rescue_lapsed() -> int:
    """Replies whose worker stopped renewing: run them again, or fail them once their failures are used up."""
    return _each(query(_lapsed), _rescue)


def fail_hung() -> int:
    """Replies whose worker goes on renewing long past their deadline: it hangs, so they fail."""
    return _each(query(_hung), _fail_hung)


def expire_overdue() -> int:
    """Replies that waited past their deadline: end them and give the credits back."""
    return _each(query(_overdue), _expire)


def give_turns() -> int:
    """Users with a due reply and a free turn for it: a back-off ended, or a finisher died before it could dispatch.

    How many turns were given.
    """
    return _each(query(_owners_in_wait, {"most": current_settings().max_active_replies}), _give_turns)


def _each(rows: Iterable[Row[Any]], end: Callable[[Row[Any]], int]) -> int:
    done, held = 0, set()
    for row in rows:
        try:
            done += 0 if row.owner_id in held else end(row)
        except Superseded:
            pass  # someone was quicker, which is as good
        except DATABASE_AWAY as error:
            if is_away(error):
                raise
            log.warning("sweeper.row_held: somebody has locked what is of user=%s", row.owner_id)
            held.add(row.owner_id)
        except Exception:
            log.exception("sweeper.row_failed: the others go on without one of user=%s", row.owner_id)
    return done


def _rescue(row: Row[Any]) -> int:
    claim = claim_of(row)
    if not give_back(claim, 0, LAPSED):
        fail_reply(claim, WorkerLost(), _saved(row), LAPSED)
    log.warning("reply.rescued: its worker stopped renewing the lease, reply=%s", claim.id)
    return 1


def _fail_hung(row: Row[Any]) -> int:
    fail_reply(claim_of(row), ReplyTimeout(), _saved(row), HUNG)
    log.warning("reply.hung: its worker did not end it, reply=%s worker=%s", row.id, row.claimed_by)
    return 1


def _expire(row: Row[Any]) -> int:
    if row.dispatched_at is None and row.attempt == 0:
        cancel_untried(claim_of(row))
    else:
        fail_reply(claim_of(row), ReplyTimeout(), _saved(row), OVERDUE)
    return 1


@retried
def _give_turns(owner: Row[Any]) -> int:
    with write_unit():
        lock_owner(owner.owner_id)
        turns = dispatch(owner.owner_id)
    hand_over(turns)
    return len(turns)


def _saved(row: Row[Any]) -> Answer:
    return Answer(row.content, row.live_index)
