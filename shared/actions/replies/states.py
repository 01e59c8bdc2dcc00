"""Every state of a reply, every guard, and every transition. If another file writes `status`, a contract test fails.

            post              claim                finish
   (user) ───────▶ pending ──────────▶ running ───────────▶ completed   ai_report, charged
                    ▲  │  a            │  │  b
                    │  │               │  └──────────────▶ failed      ai_error, credits returned
                    │  │               │ c                  ▲
                    │  │               ▼                    │
                    │  └───────────────┼────────────────────┘ d
                    └──────────────────┘
                       e: from pending or running ────────▶ cancelled   ai_report with the text so far, charged;
                                                                        without any, credits returned

Comments below explain the letters. Every transition of a worker names its attempt. A transition changes no row if its
guard does not hold.
"""

from datetime import datetime
from enum import Enum
from typing import Any

from sqlalchemy import Boolean, ColumnElement, Select, Update, bindparam, case, exists, func, or_, select, update

from shared.database.clock import db_now
from shared.database.prepared import Prepared
from shared.models.chat import chat_sessions
from shared.models.message import IS_OPEN, MESSAGE, MessageRow, has_status, is_open, messages
from shared.models.status import MessageType, Status

#: Milliseconds past the deadline after which a worker that still renews counts as hung. That is longer than a lease.
#: While the database is away, a worker retries its own ending for a whole lease (D-08).
HUNG_AFTER = 60_000
#: Seconds that a reply pauses at most after a failed attempt. If a model asks for more, the reply fails at once.
LONGEST_PAUSE = 60.0
#: `claimed_by` ends with this text if the worker writes the reply in a process of its own (D-13).
ALONE = ", alone"
# So many drains count as no failure. Each further one does, because the reply itself may end its workers (D-14).
_HARMLESS_DRAINS = 2

#: A post stores its two messages in these states.
POSTED = {"message_type": MessageType.USER, "status": Status.COMPLETED}
PLACEHOLDER = {"message_type": MessageType.AI_REPORT, "status": Status.PENDING}


class Guard(Enum):
    """When a transition is allowed."""

    WRITING = "its own worker still holds it with this attempt"
    LAPSED = "its worker stopped renewing the lease"
    HUNG = "its worker still renews, long after the deadline"
    OVERDUE = "no worker took it in time"


def condition(guard: Guard, now: ColumnElement[int]) -> ColumnElement[bool]:
    """The guard in SQL. An index finds the rows only if `now` is a scalar subquery: a function is read per row."""
    running = has_status(Status.RUNNING) & IS_OPEN  # both, since SQLite does not see that the first implies the second
    return {
        Guard.WRITING: has_status(Status.RUNNING) & (messages.c.attempt == bindparam("of_attempt")),
        Guard.LAPSED: running & (messages.c.lease_until < now),
        Guard.HUNG: running & (messages.c.deadline_at < now - HUNG_AFTER),
        Guard.OVERDUE: has_status(Status.PENDING) & (messages.c.deadline_at < now),
    }[guard]


_now = db_now()
_when = {guard: condition(guard, _now) for guard in Guard}
WRITING = _when[Guard.WRITING]


def candidates(whose: ColumnElement[bool], now: ColumnElement[int]) -> Select[Any]:
    """The turn rule (D-85): the first open reply of each chat, if that reply waits and is due.

    A parked chat holds its replies up, except one that ran before. The columns are `id`, `owner_id` and `taken`. The
    last counts the owner's replies that have their turn or run.
    """
    waiting = (
        select(
            *(messages.c[name] for name in ("id", "owner_id", "chat_session_id", "position", "attempt")),
            *(messages.c[name] for name in ("dispatched_at", "not_before")),
            func.min(messages.c.position).over(partition_by=messages.c.chat_session_id).label("first"),
            func.count(messages.c.dispatched_at).over(partition_by=messages.c.owner_id).label("taken"),
        )
        .where(whose, IS_OPEN)
        .cte("open_replies")
    )
    return (
        select(waiting.c.id, waiting.c.owner_id, waiting.c.taken)
        .join(chat_sessions, chat_sessions.c.id == waiting.c.chat_session_id)
        .where(
            waiting.c.position == waiting.c.first,
            waiting.c.dispatched_at.is_(None),
            func.coalesce(waiting.c.not_before, 0) <= now,
            chat_sessions.c.parked_at.is_(None) | (waiting.c.attempt > 0),
        )
    )


def _to(status: Status, guard: ColumnElement[bool], **values: Any) -> Prepared[MessageRow]:
    """The transition of the reply `:reply_id` to a state, stamped with `:at` and `:new_seq`."""
    stamps = {"status": status, "updated_at": bindparam("at"), "seq": bindparam("new_seq")}
    changed = update(messages).where(messages.c.id == bindparam("reply_id"), guard).values(stamps | values)
    return Prepared(changed.returning(*MESSAGE), MessageRow)


# a: a worker claims the reply.
_other = messages.alias("other")
_owner_runs_another = exists().where(
    _other.c.owner_id == messages.c.owner_id,  # the index of open replies is by owner, so a long chat costs no more
    is_open(_other),  # SQLite doesn't see that the next line implies this one, and would not use that index
    has_status(Status.RUNNING, _other),
)
_one_runs_in_its_chat = _owner_runs_another.where(_other.c.chat_session_id == messages.c.chat_session_id)
#: A worker that has no room for a further reply of this owner does not claim such a reply (D-115).
LACKS_ROOM = has_status(Status.PENDING) & messages.c.dispatched_at.is_not(None) & _owner_runs_another
# A worker that gives a reply back removes its own name. If a pending reply names a worker, one has died.
_its_worker_died = messages.c.claimed_by.is_not(None)
CLAIM = _to(
    Status.RUNNING,
    has_status(Status.PENDING)
    & messages.c.dispatched_at.is_not(None)
    & (func.coalesce(messages.c.not_before, 0) <= _now)
    & (messages.c.deadline_at > _now)
    & ~_one_runs_in_its_chat
    & or_(bindparam("roomy", type_=Boolean), ~_owner_runs_another),
    attempt=messages.c.attempt + 1,
    lease_until=_now + bindparam("lease_ms"),
    claimed_by=case((_its_worker_died, bindparam("worker") + ALONE), else_=bindparam("worker")),
    # the first claim sets the deadline of the whole reply, and nothing extends that
    deadline_at=case((messages.c.attempt == 0, _now + bindparam("reply_ms")), else_=messages.c.deadline_at),
    first_text_at=None,
    live_index=0,
    content="",
    started_at=bindparam("at"),
)

# Finish, b, d and e: the endings. Each stores the text so far.
_ended: dict[str, Any] = {
    "content": bindparam("text"),
    "live_index": bindparam("next_index"),
    "lease_until": None,
    "completed_at": bindparam("at"),
}
COMPLETE = _to(
    Status.COMPLETED,
    WRITING,
    **_ended,
    credits_charged=messages.c.credits_held,
    first_text_at=func.coalesce(messages.c.first_text_at, bindparam("at")),
    model=bindparam("said_model"),
    finish_reason=bindparam("reason"),
    tokens_in=bindparam("said_tokens_in"),
    tokens_out=bindparam("said_tokens_out"),
)
FAIL = {
    guard: _to(
        Status.FAILED,
        _when[guard],
        **_ended,
        message_type=MessageType.AI_ERROR,
        error_code=bindparam("code"),
        failures=messages.c.failures + 1,
    )
    for guard in Guard
}
STOP = _to(
    Status.CANCELLED,
    IS_OPEN,
    **_ended,
    credits_charged=bindparam("charged"),
    first_text_at=func.coalesce(messages.c.first_text_at, bindparam("first_text")),
)
_never_had_a_turn = (messages.c.dispatched_at.is_(None)) & (messages.c.attempt == 0)
CANCEL_UNTRIED = _to(Status.CANCELLED, _when[Guard.OVERDUE] & _never_had_a_turn, **_ended)


def cancel_open(which: ColumnElement[bool], at: datetime) -> Update:
    """e, for many replies at once: their message, chat or account is deleted."""
    return update(messages).where(which, IS_OPEN).values(status=Status.CANCELLED, lease_until=None, completed_at=at)


# c: the reply waits for another attempt. Its text stays until that attempt begins.
_again = {"lease_until": None, "dispatched_at": None}
_failures_left = messages.c.failures + 1 < bindparam("most_failures")
_given_back = _again | {"failures": messages.c.failures + 1, "not_before": _now + bindparam("pause_ms")}
# A failed model ends no process, so the worker removes its name (D-71). A dead worker's name stays for the next claim.
GIVE_BACK = {
    Guard.WRITING: _to(Status.PENDING, WRITING & _failures_left, **_given_back, claimed_by=None),
    Guard.LAPSED: _to(Status.PENDING, _when[Guard.LAPSED] & _failures_left, **_given_back),
}
_failures_after_drain = messages.c.failures + case((messages.c.drains < _HARMLESS_DRAINS, 0), else_=1)
RELEASE = _to(
    Status.PENDING,
    WRITING & (_failures_after_drain < bindparam("most_failures")),
    **_again,
    drains=messages.c.drains + 1,
    failures=_failures_after_drain,
    # A worker of this reply died before, and a drain proves nothing. So the next worker writes the reply alone, too.
    claimed_by=case((messages.c.claimed_by.endswith(ALONE), messages.c.claimed_by), else_=None),
)
