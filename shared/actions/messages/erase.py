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
    """Erase messages of this owner in the owner's unit. Open replies end, and their credits return.

    A worker that still writes such a reply finds its attempt closed. The unit takes `events` numbers. Every erased row
    gets the lowest of them.
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


# The columns that a post fills. An optional field gets its default, and a required one an empty text.
_EMPTY = {name: getattr(PostRequest, name, "") for name in STORED} | {"changes": None}
