"""Erase messages, for every kind of deletion: the text goes at once, tombstones stay, no credits stay held."""

from sqlalchemy import ColumnElement, and_, select, update

from shared.actions.credits.money import release
from shared.actions.messages.idempotency import STORED, PostRequest
from shared.actions.owner_unit import OwnerUnit
from shared.actions.replies.states import cancel_open
from shared.database.clock import utc_now
from shared.database.units import allow_minutes, execute
from shared.models.message import IS_OPEN, MESSAGE, MessageRow, messages


def erase(unit: OwnerUnit, owner_id: str, which: ColumnElement[bool], events: int) -> None:
    """Erase this owner's messages in a unit of theirs: open replies end, with their credits back.

    A worker that still writes one finds its attempt closed. Takes `events` numbers; the rows get the lowest.
    """
    allow_minutes()  # 200,000 long messages take seven seconds (D-21)
    there = and_(messages.c.owner_id == owner_id, messages.c.deleted_at.is_(None), which)
    unfinished = execute(select(*MESSAGE).where(there, IS_OPEN), row=MessageRow)
    unit.take(events, release({reply.id: reply.credits_held for reply in unfinished}))
    now = utc_now()
    execute(cancel_open(there, now))
    tombstone = {"deleted_at": now, "updated_at": now, "seq": unit.numbers[0]}
    execute(update(messages).where(there).values(_EMPTY | tombstone))
    for reply in unfinished:
        unit.close_live_text(reply.id, reply.attempt)


# An optional field of a post gets its default, and a required one is an empty text.
_EMPTY = {name: getattr(PostRequest, name, "") for name in STORED} | {"changes": None}
