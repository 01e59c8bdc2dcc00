"""Claim a reply for one worker: it goes from pending to running, with a lease and a new attempt."""

from dataclasses import dataclass
from typing import NamedTuple

from sqlalchemy import bindparam, select, update

from shared.actions.owner_unit import telling_unit
from shared.actions.replies.states import ALONE, CLAIM, LACKS_ROOM
from shared.core import current_settings
from shared.database.clock import db_now, utc_now
from shared.database.prepared import Id, Prepared
from shared.database.retries import retried
from shared.database.units import execute
from shared.models.message import MessageRow, has_status, messages
from shared.models.status import Status
from shared.models.user import users
from shared.wire.events import message_event


@dataclass(frozen=True)
class Claim:
    """A reply that only one worker may write while the lease lasts. A write with an old `attempt` changes nothing."""

    id: str
    attempt: int
    owner_id: str
    chat_session_id: str
    #: The id of the message that the reply answers.
    reply_to: str
    model: str
    credits_held: int
    #: Milliseconds from the claim to the deadline of the whole reply. None if the claim was read from a row later.
    remaining_ms: int | None = None
    #: The text that the reply continues, and begins with.
    kept: str = ""
    #: Whether an earlier worker of the reply died. This worker then writes the reply in a process of its own (D-13).
    alone: bool = False


class NoRoom(Exception):
    """The reply's owner has another running reply, and this worker has no room for a further one."""


@retried
def claim_reply(reply_id: str, worker: str, roomy: bool = True) -> Claim | None:
    """Claim the reply, or return None. Raises NoRoom, only without `roomy`.

    The reply must be pending and have its turn. Its pause must be over, and its deadline ahead. No other reply of its
    chat may run. Otherwise another worker has the reply, or the sweeper will bring the reply back. No worker claims a
    running reply with a lapsed lease: the sweeper first makes such a reply wait again. A disabled user's reply waits
    until its deadline, or until the user is enabled (D-32).
    """
    settings = current_settings()
    at = utc_now()
    with telling_unit() as unit:
        owner = execute(_lock_owner, {"reply_id": reply_id, "at": at}).first()
        values = {
            "reply_id": reply_id,
            "worker": worker,
            "at": at,
            "lease_ms": int(settings.lease_seconds * 1000),
            "reply_ms": int(settings.reply_timeout * 1000),
            "roomy": roomy,
        }
        row = execute(CLAIM, values | {"new_seq": owner.seq}).first() if owner else None
        if owner is None or row is None:
            if not roomy and execute(_lacks_room, {"reply_id": reply_id}):
                raise NoRoom
            unit.undo()
            return None
        claim = claim_of(row, now=owner.now)
        unit.open_live_text(row.id, row.attempt, claim.kept)
        unit.tell(message_event("message.started", row, row.live_index or None))
    return claim


def claim_of(row: MessageRow, now: int | None = None) -> Claim:
    """The claim that a reply's row describes. `now` is the database's clock in milliseconds as of the claim."""
    assert row.reply_to is not None  # only replies are claimed, and each names its question and its model
    assert row.model is not None
    return Claim(
        id=row.id,
        attempt=row.attempt,
        owner_id=row.owner_id,
        chat_session_id=row.chat_session_id,
        reply_to=row.reply_to,
        model=row.model,
        credits_held=row.credits_held,
        kept=row.content[: row.kept],
        remaining_ms=None if now is None or row.deadline_at is None else row.deadline_at - now,
        alone=row.claimed_by is not None and row.claimed_by.endswith(ALONE),
    )


_lacks_room = Prepared(select(messages.c.id).where(messages.c.id == bindparam("reply_id"), LACKS_ROOM), Id)


class _Owner(NamedTuple):
    seq: int
    now: int


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
    .returning(users.c.seq, db_now().label("now")),
    _Owner,
)
