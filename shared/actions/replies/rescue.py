"""The sweeper's steps for replies that lost their worker or their turn. No accepted reply is forgotten, whatever died.

Each step reads a batch without locks, then runs one guarded transaction for each reply. So any number of sweepers may
run at once. The steps return how many replies they changed. `queue/hand_over_again.py` has the step for lost jobs.
"""

import logging
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, Protocol, TypeVar

from sqlalchemy import BindParameter, ColumnElement, Select, bindparam, func, select

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
from shared.models.user import users

log = logging.getLogger(__name__)

# Rows that a step takes at most. The next sweep takes the rest (D-09).
BATCH = 100


def rescue_lapsed() -> int:
    """Let replies run again whose worker stopped renewing the lease. Fail them if their failures are used up."""
    return _each(_some(Guard.LAPSED), _rescue)


def fail_hung() -> int:
    """Fail replies whose worker still renews the lease long past the deadline. Such a worker hangs."""
    return _each(_some(Guard.HUNG), _fail_hung)


def expire_overdue() -> int:
    """End replies that waited past their deadline, and give the credits back."""
    return _each(_some(Guard.OVERDUE), _expire)


def give_turns() -> int:
    """Give turns to users who have a due reply and a free turn for it.

    No other program gives a turn when a back-off ends. A program may also have died without giving a free turn on.
    """
    return _each(query(_owners_in_wait, {"most": current_settings().max_active_replies}, row=_Owner), _give_turns)


# A scalar subquery is read once for a statement, so an index can find the rows. A function would be read per row.
_now = select(db_now()).scalar_subquery()


class _Owner(NamedTuple):
    owner_id: str


# The turn rule of dispatch(), for all users at once (D-85). So the sweeper locks only users who can get a turn. Users
# without a free turn are left out first: under load these are nearly all, and the turn rule sorts all its replies.
_with_a_free_turn = (
    select(messages.c.owner_id)
    .where(IS_OPEN)
    .group_by(messages.c.owner_id)
    .having(func.count(messages.c.dispatched_at) < bindparam("most"))
)
_candidates = candidates(messages.c.owner_id.in_(_with_a_free_turn), _now).subquery()
_owners_in_wait = select(_candidates.c.owner_id).group_by(_candidates.c.owner_id).order_by(func.random()).limit(BATCH)


def _some(guard: Guard) -> list[MessageRow]:
    """A batch in random order, so that two sweepers seldom meet.

    In a fixed order, rows that cannot be ended would fill every batch and keep the others out.
    """
    return query(_picks[guard], row=MessageRow)


def _pick(which: ColumnElement[bool]) -> Select[Any]:
    return select(*MESSAGE).where(which).order_by(func.random()).limit(BATCH)


_picks = {guard: _pick(condition(guard, _now)) for guard in (Guard.LAPSED, Guard.HUNG, Guard.OVERDUE)}


class _Reply(NamedTuple):
    id: str
    owner_id: str


_ids: BindParameter[str] = bindparam("ids", expanding=True)
_free_users = select(users.c.id.label("owner_id")).where(users.c.id.in_(_ids))
_free_users = _free_users.with_for_update(skip_locked=True, key_share=True)
_open_replies = select(messages.c.id, messages.c.owner_id).where(messages.c.owner_id.in_(_ids), IS_OPEN)
_free_replies = _open_replies.with_for_update(skip_locked=True, key_share=True)


class _Owned(Protocol):
    @property
    def owner_id(self) -> str: ...


Row = TypeVar("Row", bound=_Owned)


def _each(rows: Sequence[Row], end: Callable[[Row], int]) -> int:
    done, held = 0, set[str]()
    for row in rows:
        try:
            done += 0 if row.owner_id in held else end(row)
        except Superseded:
            pass  # a worker or another sweeper was quicker, so nothing is left to do
        except DATABASE_AWAY as error:
            if is_away(error):
                raise
            # the next sweep tries these rows again (D-65)
            news = {row.owner_id, *_held({row.owner_id for row in rows})} - held
            for owner_id in news:
                log.warning("sweeper.row_held: another transaction locks the rows of user=%s", owner_id)
            held |= news
        except Exception:
            log.exception("sweeper.row_failed: the sweep goes on without a row of user=%s", row.owner_id)
    return done


def _held(owners: set[str]) -> set[str]:
    """Those of the users whose own row or open replies another transaction has locked.

    Waiting for each of them would hold up the rescue of all others, a second for each (D-116).
    """
    free = query(_free_users, {"ids": list(owners)}, row=_Owner)
    mine = query(_open_replies, {"ids": list(owners)}, row=_Reply)
    unlocked = {reply.id for reply in query(_free_replies, {"ids": list(owners)}, row=_Reply)}
    return owners - {user.owner_id for user in free} | {reply.owner_id for reply in mine if reply.id not in unlocked}


def _rescue(row: MessageRow) -> int:
    claim = claim_of(row)
    if not give_back(claim, 0, Guard.LAPSED):
        fail_reply(claim, WorkerLost(), _saved(row), Guard.LAPSED)
    log.warning("reply.rescued: the worker stopped renewing the lease, reply=%s", claim.id)
    return 1


def _fail_hung(row: MessageRow) -> int:
    fail_reply(claim_of(row), ReplyTimeout(), _saved(row), Guard.HUNG)
    log.warning("reply.hung: the worker did not end the reply, reply=%s worker=%s", row.id, row.claimed_by)
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
