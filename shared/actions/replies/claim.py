"""Take a reply for one worker: from pending to running, with a lease and a new attempt."""

from dataclasses import dataclass, fields
from typing import Any

from sqlalchemy import bindparam, case, exists, func, select, update

from shared.core import current_link, current_settings
from shared.database.clock import db_now, utc_now
from shared.database.prepared import Prepared, Row
from shared.database.retries import retried
from shared.database.units import execute, write_unit
from shared.models.message import Status, has_status, is_open, messages
from shared.models.user import users
from shared.redis import live_text
from shared.wire.events import message_event, publish

_now = db_now()
_other = messages.alias("other")
# A name that is still there is of a worker that died: who gives a reply back takes it away, except that of one alone.
_lost = messages.c.claimed_by.is_not(None)
ALONE = ", alone"
_lock_owner = Prepared(
    update(users)
    .where(
        users.c.id
        == select(messages.c.owner_id)
        .where(messages.c.id == bindparam("reply_id"), has_status(Status.PENDING))
        .scalar_subquery(),
        users.c.disabled_at.is_(None),
    )
    .values(seq=users.c.seq + 1, updated_at=bindparam("at"))
    .returning(users.c.seq)
)
_claim = Prepared(
    update(messages)
    .where(
        messages.c.id == bindparam("reply_id"),
        has_status(Status.PENDING),
        messages.c.dispatched_at.is_not(None),
        func.coalesce(messages.c.not_before, 0) <= _now,
        messages.c.deadline_at > _now,
        ~exists().where(
            _other.c.owner_id == messages.c.owner_id,  # its index is that of open replies, however long the chat is
            _other.c.chat_session_id == messages.c.chat_session_id,
            is_open(_other),  # SQLite doesn't see that the next line implies it, and would not use that index
            has_status(Status.RUNNING, _other),
        ),
    )
    .values(
        status=Status.RUNNING,
        attempt=messages.c.attempt + 1,
        lease_until=_now + bindparam("lease_ms"),
        claimed_by=case((_lost, bindparam("worker") + ALONE), else_=bindparam("worker")),
        # the clock of the whole reply starts at its first claim; nothing extends it
        deadline_at=case((messages.c.attempt == 0, _now + bindparam("reply_ms")), else_=messages.c.deadline_at),
        first_text_at=None,
        live_index=0,
        content="",
        started_at=bindparam("at"),
        updated_at=bindparam("at"),
        seq=bindparam("seq"),
    )
    .returning(
        *messages.c,
        (messages.c.deadline_at - _now).label("remaining_ms"),
        (messages.c.claimed_by != bindparam("worker")).label("alone"),
    )
)


@dataclass(frozen=True)
class Claim:
    """A reply that one worker may write, and nobody else while the lease lasts. `attempt` is the fence."""

    id: str
    attempt: int
    owner_id: str
    chat_session_id: str
    position: int
    #: The question that it answers.
    reply_to: str
    model: str
    credits_held: int
    #: Milliseconds until the whole reply has to be done, as of the claim; None for a claim of the past.
    remaining_ms: int | None = None
    #: Whether the worker that had it before died: then this one writes it in a process that it can only end for itself.
    alone: bool | None = None


@retried
def claim_reply(reply_id: str, worker: str) -> Claim | None:
    """Claim it if it is pending, has its turn, is due, is in time, and its chat has no other running reply.

    None otherwise: someone else has it, or the sweeper will bring it back. A lapsed running one is never claimed.
    What waits for a disabled user waits on, until its deadline or until the user is enabled.
    """
    settings = current_settings()
    values = {
        "reply_id": reply_id,
        "worker": worker,
        "at": utc_now(),
        "lease_ms": int(settings.lease_seconds * 1000),
        "reply_ms": int(settings.reply_timeout * 1000),
    }
    with write_unit() as unit:
        seq = execute(_lock_owner, values).scalar()
        row = execute(_claim, values | {"seq": seq}).first() if seq else None
        if row is None:
            unit.rollback()  # gives the number back
            return None
    _announce(row)
    return claim_of(row)


def claim_of(row: Row) -> Claim:
    """The claim that a running row, or one that ran, is held by."""
    values: dict[str, Any] = {field.name: getattr(row, field.name, None) for field in fields(Claim)}
    return Claim(**values)


def _announce(row: Row) -> None:
    link = current_link()
    with link.trip() as pipe:
        live_text.begin(link, pipe, row.id, row.attempt)
        publish(link, pipe, [message_event("message.started", row)])
