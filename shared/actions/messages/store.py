"""The rows of a post: two places in its chat, the message, and the placeholder of its reply."""

from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, bindparam, insert, update

from shared.actions.messages.idempotency import STORED, Made, PostRequest
from shared.actions.owner_unit import OwnerUnit
from shared.actions.queue.dispatch import PATIENCE, open_replies
from shared.actions.replies.states import PLACEHOLDER, POSTED
from shared.core import current_settings
from shared.database.clock import db_now, utc_now
from shared.database.prepared import NoRow, Prepared
from shared.database.units import execute
from shared.models.chat import chat_sessions, named_by
from shared.models.message import MessageRow, messages


class Place(NamedTuple):
    """The chat of a post, the position after its two messages, and how many replies its owner had open.

    The chat is still archived if it was: `archived_at` is not changed.

    `last_active_at` is the moment of the post. Both messages carry it, so a client that hears them knows it (D-40).
    """

    id: str
    next_position: int
    open_replies: int
    last_active_at: datetime
    settings: dict[str, Any]
    archived_at: datetime | None


def take_place(unit: OwnerUnit, user_id: str, chat_ref: str) -> Place | None:
    """Take two places in the chat, and end its parking. None if the chat is deleted or not the user's."""
    column, ref = named_by(chat_ref)
    values = {"user_id": user_id, "chat_ref": ref, "at": utc_now(), "new_seq": unit.numbers[1]}
    return execute(_take_places[column], values).first()


def store_both(
    unit: OwnerUnit, place: Place, request: PostRequest, made: Made, model: str
) -> tuple[MessageRow, MessageRow]:
    """Store the message and the placeholder of its reply. Returns both rows."""
    at = place.last_active_at
    message_seq, reply_seq, _ = unit.numbers
    common: dict[str, Any] = _FIRST_VERSION | {
        "chat_session_id": place.id,
        "owner_id": unit.account.user_id,
        "created_at": at,
        "updated_at": at,
    }
    message = MessageRow(
        **common | POSTED | request.stored(),
        id=made.message_id,
        position=place.next_position - 2,
        credits_held=0,
        completed_at=at,
        seq=message_seq,
    )
    reply = MessageRow(
        **common | PLACEHOLDER,
        id=made.reply_id,
        position=place.next_position - 1,
        content="",
        reply_to=made.message_id,
        model=model,
        credits_held=current_settings().credits_per_reply,
        seq=reply_seq,
    )
    execute(_insert_both, _named("message", message) | _NO_TURN | _named("reply", reply) | _turn(place))
    return message, reply


def _named(which: str, row: MessageRow) -> dict[str, Any]:
    return {f"{which}_{name}": value for name, value in row._asdict().items()}


def _turn(place: Place) -> dict[str, int | None]:
    """The reply gets its turn at once if its owner has no other open reply (D-01). Otherwise dispatch() decides."""
    settings = current_settings()
    if place.open_replies:
        return {"reply_turn_in": None, "reply_deadline_in": int(settings.turn_timeout * 1000), "reply_again_in": None}
    return {
        "reply_turn_in": 0,
        "reply_deadline_in": int(settings.queue_timeout * 1000),
        "reply_again_in": PATIENCE,
    }


_take_places = {
    column: Prepared(
        update(chat_sessions)
        .where(
            chat_sessions.c.owner_id == bindparam("user_id"),
            chat_sessions.c[column] == bindparam("chat_ref"),
            chat_sessions.c.deleted_at.is_(None),
        )
        .values(
            next_position=chat_sessions.c.next_position + 2,
            last_active_at=bindparam("at"),
            updated_at=bindparam("at"),
            parked_at=None,
            seq=bindparam("new_seq"),
            seen_seq=bindparam("new_seq"),  # the author has seen the chat up to here
        )
        .returning(
            *(chat_sessions.c[name] for name in ("id", "next_position")),
            open_replies,
            *(chat_sessions.c[name] for name in ("last_active_at", "settings", "archived_at")),
        ),
        Place,
    )
    for column in ("id", "display_id")
}
_FIRST_VERSION: dict[str, Any] = {
    "version": 1,
    "shown": True,
    "credits_charged": 0,
    "attempt": 0,
    "failures": 0,
    "drains": 0,
    "handovers": 0,
    "live_index": 0,
}
# The columns of MessageRow that may be empty, but that some new rows fill.
_SOMETIMES = (*STORED, "reply_to", "model", "completed_at")
# Milliseconds from now; None leaves a column empty, as in the user's message.
_NO_TURN = {"message_turn_in": None, "message_deadline_in": None, "message_again_in": None}


def _columns(which: str) -> dict[str, ColumnElement[Any]]:
    given = [name for name in MessageRow._fields if name in _SOMETIMES or name not in MessageRow._field_defaults]
    columns = {name: bindparam(f"{which}_{name}", type_=messages.c[name].type) for name in given}
    return columns | {
        "dispatched_at": db_now() + bindparam(f"{which}_turn_in"),
        "deadline_at": db_now() + bindparam(f"{which}_deadline_in"),
        "hand_over_at": db_now() + bindparam(f"{which}_again_in"),
    }


_insert_both = Prepared(insert(messages).values([_columns("message"), _columns("reply")]), NoRow)
