"""What every deletion does to messages: the text goes at once, tombstones stay, and no credits stay held."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, and_, select, update

from shared.core import current_link
from shared.database.clock import utc_now
from shared.database.prepared import Row
from shared.database.units import allow_minutes, execute
from shared.models.credits import RELEASE, record
from shared.models.message import IS_OPEN, Status, messages
from shared.models.user import Account, move
from shared.redis import live_text
from shared.wire.events import Event, publish


@dataclass(frozen=True)
class Erased:
    """What was still waiting or running, as it was before, and the owner's money after."""

    unfinished: Sequence[Row]
    account: Account


def erase(owner_id: str, which: ColumnElement[bool], events: int) -> Erased:
    """Erase this owner's messages, under the owner's lock: those not final end, with their credits back.

    A worker still writing one finds its attempt closed. Takes `events` numbers; the rows get the lowest.
    """
    allow_minutes()  # 200,000 long messages take seven seconds
    there = and_(messages.c.owner_id == owner_id, messages.c.deleted_at.is_(None), which)
    unfinished = execute(select(messages).where(there, IS_OPEN))
    released = sum(reply.credits_held for reply in unfinished)
    account = move(owner_id, events=events, spend=-released, hold=-released)
    assert account is not None  # what open replies hold is held
    now, seq = utc_now(), account.numbers(events)[0]
    open_ones = update(messages).where(there, IS_OPEN)
    execute(open_ones.values(status=Status.CANCELLED, lease_until=None, completed_at=now))
    tombstone = {"content": "", "changes": None, "deleted_at": now, "updated_at": now, "seq": seq}
    execute(update(messages).where(there).values(tombstone))
    for reply in unfinished:
        record(owner_id, RELEASE, reply.credits_held, reply.id)
    return Erased(unfinished, account)


def tell_erased(erased: Erased, events: list[Event]) -> None:
    """After the commit: refuse and drop the live text of what was running, and tell the open tabs."""
    link = current_link()
    with link.trip() as pipe:
        for reply in erased.unfinished:
            live_text.close(link, pipe, reply.id, reply.attempt)
        publish(link, pipe, events)
