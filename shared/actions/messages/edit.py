"""Edit the last message of a user: a new pair takes its place, and the old pair stays as another version."""

from collections.abc import Iterator
from dataclasses import dataclass

from shared.actions.messages.accept import Posted, Verb, accept
from shared.actions.messages.again import find_last_pair
from shared.actions.messages.idempotency import Made, fingerprint
from shared.actions.messages.store import Stored, choose_model, message_row, reply_row, store_rows, take_place
from shared.actions.messages.versions import Group, group_of
from shared.actions.owner_unit import OwnerUnit
from shared.errors.control import NotEditable
from shared.models.chat import find_chat
from shared.models.message import find_message
from shared.models.status import MessageType


@dataclass(frozen=True)
class EditRequest:
    """An edit as its client sent it."""

    chat_ref: str
    message_id: str
    content: str
    model: str | None = None

    def fingerprints(self) -> Iterator[str]:
        body = {"content": self.content, "model": self.model}
        yield fingerprint("PATCH", f"{self.chat_ref}/{self.message_id}", body)


def edit_message(user_id: str, request: EditRequest, key: str | None = None) -> Posted:
    """Store the new text as another version of the message, with the placeholder of its reply, as accept() says.

    Raises what accept() raises, and NotEditable, NotTheLastMessage, ReplyOpen.
    """
    return accept(_EDIT, user_id, request, key)


def _check(user_id: str, request: EditRequest) -> tuple[str, Group, Group]:
    """The model, the versions of the message, and those of its reply."""
    message = find_message(find_chat(user_id, request.chat_ref).id, request.message_id)
    if message.message_type != MessageType.USER:
        raise NotEditable
    pair = find_last_pair(user_id, request.chat_ref, request.message_id)
    return choose_model(request.model), group_of(pair.question), pair.versions


def _store(unit: OwnerUnit, request: EditRequest, made: Made) -> Stored:
    model, edits, replies = _check(unit.account.user_id, request)
    place = take_place(unit, request.chat_ref, 2)
    version = {"version": edits.next_version, "version_of": edits.root}
    message = message_row(unit, place, id=made.message_id, content=request.content, **version)
    reply = reply_row(unit, place, id=made.reply_id, reply_to=made.message_id, model=model)
    return store_rows(place, message, reply)._replace(replaces=(*edits.shown_ids, *replies.shown_ids))


_EDIT = Verb(_check, _store)
