"""Post a message: a reply follows, unless the client or the message's role wants none."""

from functools import partial

from shared.actions.chats.settings import choose_model, require_offered
from shared.actions.messages.accept import Posted, Verb, accept
from shared.actions.messages.idempotency import Made, PostRequest
from shared.actions.messages.store import (
    Stored,
    message_row,
    reply_row,
    require_room,
    store_rows,
    take_place,
)
from shared.actions.owner_unit import OwnerUnit
from shared.actions.queue.when_busy import Seen, Unread, goes_on, interrupt, to_interrupt
from shared.errors.requests import Forbidden, InvalidRequest
from shared.models.chat import find_chat
from shared.models.status import ROLES, MessageType
from shared.models.user import is_admin

_SYSTEM = ROLES[MessageType.SYSTEM]
_NEVER_ANSWERED = ["No reply follows a system message. Leave `generate` out."]


def post_message(user_id: str, request: PostRequest, key: str | None = None) -> Posted:
    """Store a message and the placeholder of its reply, as accept() says. Without a reply, nothing is charged.

    Raises what accept() raises, and ChatBusy, ModelNotOffered.
    """
    if request.generate is False or request.role == _SYSTEM:
        return accept(_STORED_ONLY, user_id, request, key)
    try:
        return accept(_answered(), user_id, request, key)
    except Unread as running:  # an interrupted reply keeps its live text, and no unit may wait for Redis
        return accept(_answered(running.read()), user_id, request, key)


def _answered(seen: Seen | None = None) -> Verb[PostRequest]:
    return Verb(_check, partial(_store_both, seen=seen))


def _check(user_id: str, request: PostRequest) -> None:
    require_offered(request.model)
    choose_model(request.model, find_chat(user_id, request.chat_ref).settings)


def _store_both(unit: OwnerUnit, request: PostRequest, made: Made, seen: Seen | None) -> Stored:
    require_offered(request.model)
    place = take_place(unit, request.chat_ref, 2)
    model = choose_model(request.model, place.settings)
    first = to_interrupt(unit.account.user_id, place, request.when_busy, seen)
    require_room(place.open_replies - bool(first and goes_on(first)))
    message = message_row(unit, place, id=made.message_id, **request.stored())
    reply = reply_row(unit, place, id=made.reply_id, reply_to=made.message_id, model=model)
    stored = store_rows(place, message, reply)
    if first is None:
        return stored
    return stored._replace(make_way=partial(interrupt, first=first, seen=seen or {}, new_id=reply.id))


def _store_message(unit: OwnerUnit, request: PostRequest, made: Made) -> Stored:
    """Store the message alone. The chat stays parked, since nothing new has to run (D-147)."""
    require_offered(request.model)
    kind = _kind_of(unit.account.user_id, request)
    place = take_place(unit, request.chat_ref, 1, resumes=False)
    return store_rows(place, message_row(unit, place, id=made.message_id, **request.stored(), **kind))


def _kind_of(user_id: str, request: PostRequest) -> dict[str, MessageType]:
    """The type of a message by its role. Only an admin may write system messages (D-148)."""
    if request.role != _SYSTEM:
        return {}
    find_chat(user_id, request.chat_ref)  # a deleted chat stays the first reason
    if not is_admin(user_id):
        raise Forbidden("Only an admin may write system messages. Leave `role` out.")
    if request.generate:
        raise InvalidRequest(errors={"generate": _NEVER_ANSWERED})
    return {"message_type": MessageType.SYSTEM}


_STORED_ONLY = Verb(_check, _store_message, reply=False)
