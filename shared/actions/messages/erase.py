"""Erase messages, for every kind of deletion: no credits stay held, the text goes, and tombstones stay.

Here is what the deletion's own unit does. `erasures.py` erases the rows of a chat or an account, however many.
"""

from typing import Any

from sqlalchemy import ColumnElement, and_, select, update

from shared.actions.credits.money import release
from shared.actions.messages.idempotency import STORED, PostRequest
from shared.actions.owner_unit import OwnerUnit
from shared.actions.replies.states import cancel_open
from shared.database.clock import db_moment, utc_now
from shared.database.units import execute
from shared.models.message import IS_OPEN, MESSAGE, MessageRow, messages


def end_open(unit: OwnerUnit, owner_id: str, which: ColumnElement[bool], events: int) -> None:
    """End the open replies among these messages of this owner, in the owner's unit. Their credits return.

    A worker that still writes such a reply finds its attempt closed. The unit takes `events` numbers.
    """
    there = _there(owner_id, which)
    unfinished = execute(select(*MESSAGE).where(there, IS_OPEN), row=MessageRow)
    unit.take(events, release({reply.id: reply.credits_held for reply in unfinished}))
    execute(cancel_open(there, utc_now()))
    for reply in unfinished:
        unit.close_live_text(reply.id, reply.attempt)


def erase(unit: OwnerUnit, owner_id: str, which: ColumnElement[bool], events: int) -> None:
    """Erase a few messages of this owner in the owner's unit, and end the open replies among them.

    The unit takes `events` numbers. Every erased row gets the lowest of them.
    """
    end_open(unit, owner_id, which, events)
    tombstone = {"deleted_at": db_moment(), "updated_at": utc_now(), "seq": unit.numbers[0]}
    execute(update(messages).where(_there(owner_id, which)).values(EMPTY | tombstone))


def _there(owner_id: str, which: ColumnElement[bool]) -> ColumnElement[bool]:
    return and_(messages.c.owner_id == owner_id, messages.c.deleted_at.is_(None), which)


#: The columns that a post fills. An optional field gets its default, and a required one an empty text.
EMPTY: dict[str, Any] = {name: getattr(PostRequest, name, "") for name in STORED} | {"changes": None}
