"""The sweeper's steps for replies whose worker or turn got lost: no accepted reply is forgotten, whatever died.

Each step reads a bounded batch without locks, then takes one guarded transaction for each reply. So any number of
sweepers may run. `queue/hand_over_again.py` hands over again.
"""

import logging
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple, Protocol, TypeVar

from sqlalchemy import ColumnElement, Select, bindparam, func, select

from shared.actions.owner_unit import owner_unit
from shared.actions.queue.dispatch import dispatch
from shared.actions.replies.claim import claim_of
from shared.actions.replies.finish import Answer, Superseded, cancel_untried, fail_reply
from shared.actions.replies.release import give_back
from shared.actions.replies.states import Guard, candidates, condition
from shared.core import current_settings
from shared.database.clock import db_now
from shared.database.retries import DATABASE_AWAY, is_away, retried
from shared.database.units import query
from shared.errors.replies import ReplyTimeout, WorkerLost
from shared.models.message import IS_OPEN, MESSAGE, MessageRow, messages

log = logging.getLogger(__name__)

# Rows that a step takes; the next sweep takes the rest (D-09).
BATCH = 100


def rescue_lapsed() -> int:
    """Replies whose worker stopped renewing: run them again, or fail them once their failures are used up."""
    return _each(_some(Guard.LAPSED), _rescue)


def fail_hung() -> int:
    """Replies whose worker renews long past their deadline: it hangs, so they fail."""
    return _each(_some(Guard.HUNG), _fail_hung)


def expire_overdue() -> int:
    """Replies that waited past their deadline: end them and give the credits back."""
    return _each(_some(Guard.OVERDUE), _expire)


def give_turns() -> int:
    """Users with a due reply and a free turn for it: a back-off ended, or a finisher died before it could dispatch.

    How many turns were given.
    """
    return _each(query(_owners_in_wait, {"most": current_settings().max_active_replies}, row=_Owner), _give_turns)


# An index finds only rows whose limit stays the same for the whole statement, and a clock does not.
_now = select(db_now()).scalar_subquery()


class _Owner(NamedTuple):
    owner_id: str


# As dispatch() decides, but for every user at once, so that no user is locked to be given nothing. Users without a free
# turn are left out first: under load that is nearly all of them, and the turn rule sorts all replies that it gets.
_with_a_free_turn = (
    select(messages.c.owner_id)
    .where(IS_OPEN)
    .group_by(messages.c.owner_id)
    .having(func.count(messages.c.dispatched_at) < bindparam("most"))
)
_candidates = candidates(messages.c.owner_id.in_(_with_a_free_turn), _now).subquery()
_owners_in_wait = select(_candidates.c.owner_id).group_by(_candidates.c.owner_id).order_by(func.random()).limit(BATCH)


def _some(guard: Guard) -> list[MessageRow]:
    """A batch in random order: rows that cannot be ended don't keep the others out, and two sweepers seldom meet."""
    return query(_picks[guard], row=MessageRow)


def _pick(which: ColumnElement[bool]) -> Select[Any]:
    return select(*MESSAGE).where(which).order_by(func.random()).limit(BATCH)


_picks = {guard: _pick(condition(guard, _now)) for guard in (Guard.LAPSED, Guard.HUNG, Guard.OVERDUE)}


class _Owned(Protocol):
    @property
    def owner_id(self) -> str: ...


Row = TypeVar("Row", bound=_Owned)


def _each(rows: Iterable[Row], end: Callable[[Row], int]) -> int:
    done, held = 0, set()
    for row in rows:
        try:
            done += 0 if row.owner_id in held else end(row)
        except Superseded:
            pass  # a worker or another sweeper was quicker, which is as good
        except DATABASE_AWAY as error:
            if is_away(error):
                raise
            log.warning("sweeper.row_held: another transaction locks the rows of user=%s", row.owner_id)
            held.add(row.owner_id)
        except Exception:
            log.exception("sweeper.row_failed: the sweep goes on without a row of user=%s", row.owner_id)
    return done


def _rescue(row: MessageRow) -> int:
    claim = claim_of(row)
    if not give_back(claim, 0, Guard.LAPSED):
        fail_reply(claim, WorkerLost(), _saved(row), Guard.LAPSED)
    log.warning("reply.rescued: its worker stopped renewing the lease, reply=%s", claim.id)
    return 1


def _fail_hung(row: MessageRow) -> int:
    fail_reply(claim_of(row), ReplyTimeout(), _saved(row), Guard.HUNG)
    log.warning("reply.hung: its worker did not end it, reply=%s worker=%s", row.id, row.claimed_by)
    return 1


def _expire(row: MessageRow) -> int:
    if row.dispatched_at is None and row.attempt == 0:
        cancel_untried(claim_of(row))
    else:
        fail_reply(claim_of(row), ReplyTimeout(), _saved(row), Guard.OVERDUE)
    return 1


@retried
def _give_turns(owner: _Owner) -> int:
    with owner_unit(owner.owner_id) as unit:
        turns = dispatch(owner.owner_id)
        unit.hand_over(turns)
    return len(turns)


def _saved(row: MessageRow) -> Answer:
    return Answer(row.content, row.live_index)
