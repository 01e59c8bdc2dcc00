"""The rows of a request: places in its chat, a message, and the placeholder of a reply."""

from collections.abc import Callable
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import Boolean, ColumnElement, bindparam, case, insert, null, update

from shared.actions.messages.idempotency import STORED
from shared.actions.owner_unit import OwnerUnit
from shared.actions.queue.dispatch import PATIENCE, open_replies, queued
from shared.actions.replies.states import PLACEHOLDER, POSTED
from shared.core import current_settings
from shared.database.clock import db_now, utc_now
from shared.database.prepared import NoRow, Prepared
from shared.database.units import execute
from shared.errors.requests import TooManyWaiting
from shared.models.chat import chat_sessions, find_chat, named_by
from shared.models.message import MessageRow, messages


class Place(NamedTuple):
    """The chat of new rows, their first and last position, and how many replies its owner had open.

    `last_active_at` is the moment of the request. The new rows carry it, so a client that hears them knows it (D-40).
    `queued` counts the replies of all users that have their turn, but no worker. The chat is still archived if it was:
    `archived_at` is not changed.
    """

    id: str
    first: int
    last: int
    open_replies: int
    last_active_at: datetime
    settings: dict[str, Any]
    queued: int
    archived_at: datetime | None


class Stored(NamedTuple):
    """The message and the reply of a request, and what else they change.

    `replaces` are the ids of the rows whose place they take as the shown ones. `make_way` stops and moves other
    messages for them, and returns the rows that moved. `ahead` is the number of replies before theirs, if it is known.
    `archived` says whether the chat is in the archive, which it has to leave.
    """

    message: MessageRow
    reply: MessageRow | None
    open_replies: int
    ahead: int | None
    archived: bool
    replaces: tuple[str, ...] = ()
    make_way: Callable[[OwnerUnit], dict[str, MessageRow]] | None = None


def take_place(unit: OwnerUnit, chat_ref: str, places: int, *, resumes: bool = True) -> Place:
    """Take places in the chat. With `resumes`, a reply comes, and the chat is not parked any more.

    Raises NotFound, Forbidden.
    """
    column, ref = named_by(chat_ref)
    user_id, new_seq = unit.account.user_id, unit.numbers[places - 1]
    values = {"user_id": user_id, "chat_ref": ref, "at": utc_now(), "new_seq": new_seq}
    place = execute(_take_places[column], values | {"places": places, "resumes": resumes}).first()
    if place is None:
        find_chat(user_id, chat_ref)  # raises NotFound for a deleted chat, Forbidden for a foreign one
        raise AssertionError("find_chat() refuses a chat that the update did not find")
    return place


def require_room(open_replies: int) -> None:
    """Raises TooManyWaiting if a user with so many open replies may have no further one."""
    if open_replies >= current_settings().max_waiting_replies:
        raise TooManyWaiting


def message_row(unit: OwnerUnit, place: Place, **columns: Any) -> MessageRow:
    """A new message, in the first of the places."""
    said = {"position": place.first, "credits_held": 0, "completed_at": place.last_active_at, "seq": unit.numbers[0]}
    return MessageRow(**_common(unit, place) | POSTED | said | columns)


def reply_row(unit: OwnerUnit, place: Place, **columns: Any) -> MessageRow:
    """The placeholder of a new reply, in the last of the places."""
    price, seq = current_settings().credits_per_reply, unit.numbers[-2]  # the last one is for its credits
    own = {"content": "", "position": place.last, "credits_held": price, "seq": seq}
    return MessageRow(**_common(unit, place) | PLACEHOLDER | own | columns)


def store_rows(place: Place, message: MessageRow, reply: MessageRow | None = None) -> Stored:
    """Store a new message and, with it, the placeholder of its reply."""
    if reply is None:
        execute(_insert_message, _named("message", message) | _NO_TURN)
    else:
        execute(_insert_both, _named("message", message) | _NO_TURN | _named("reply", reply) | _turn(place))
    return _stored(place, message, reply)


def store_reply(place: Place, message: MessageRow, reply: MessageRow) -> Stored:
    """Store the placeholder of another reply to a message that is there."""
    execute(_insert_reply, _named("reply", reply) | _turn(place))
    return _stored(place, message, reply)


def _stored(place: Place, message: MessageRow, reply: MessageRow | None) -> Stored:
    ahead = None if place.open_replies else place.queued
    return Stored(message, reply, place.open_replies, ahead, place.archived_at is not None)


def _common(unit: OwnerUnit, place: Place) -> dict[str, Any]:
    at = place.last_active_at
    whose = {"chat_session_id": place.id, "owner_id": unit.account.user_id}
    return _FIRST_VERSION | whose | {"created_at": at, "updated_at": at}


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
            next_position=chat_sessions.c.next_position + bindparam("places"),
            last_active_at=bindparam("at"),
            updated_at=bindparam("at"),
            parked_at=case((bindparam("resumes", type_=Boolean), null()), else_=chat_sessions.c.parked_at),
            seq=bindparam("new_seq"),
            seen_seq=bindparam("new_seq"),  # the author has seen the chat up to here
        )
        .returning(
            chat_sessions.c.id,
            (chat_sessions.c.next_position - bindparam("places")).label("first"),
            (chat_sessions.c.next_position - 1).label("last"),
            open_replies,
            *(chat_sessions.c[name] for name in ("last_active_at", "settings")),
            queued().label("queued"),
            chat_sessions.c.archived_at,
        ),
        Place,
    )
    for column in ("id", "display_id")
}
_FIRST_VERSION: dict[str, Any] = {
    "version": 1,
    "shown": True,
    "kept": 0,
    "credits_charged": 0,
    "attempt": 0,
    "failures": 0,
    "drains": 0,
    "handovers": 0,
    "live_index": 0,
}
# The columns of MessageRow that may be empty, but that some new rows fill.
_SOMETIMES = (*STORED, "reply_to", "version_of", "continues", "model", "completed_at")
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
_insert_message = Prepared(insert(messages).values([_columns("message")]), NoRow)
_insert_reply = Prepared(insert(messages).values([_columns("reply")]), NoRow)
