"""Edit a message of a user: in place while it waits, and otherwise the last one.

A new pair takes the place of the last message and its reply, and the old pair stays as another version.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from sqlalchemy import bindparam, select, update

from shared.actions.chats.change import note_quietly
from shared.actions.chats.settings import choose_model, require_offered
from shared.actions.chats.title import untitle
from shared.actions.messages.accept import Posted, Verb, accept, accepted_before
from shared.actions.messages.again import find_last_pair
from shared.actions.messages.idempotency import Made, fingerprint, made_before
from shared.actions.messages.store import (
    Stored,
    message_row,
    reply_row,
    require_room,
    store_rows,
    take_place,
)
from shared.actions.messages.versions import Group, group_of
from shared.actions.owner_unit import OwnerUnit, owner_unit
from shared.actions.queue.waiting import WAITS
from shared.database.clock import utc_now
from shared.database.prepared import Prepared
from shared.database.retries import retried
from shared.database.units import execute
from shared.errors.control import NotEditable
from shared.models.chat import find_chat
from shared.models.message import IS_OPEN, MESSAGE, MessageRow, find_message, messages
from shared.models.status import MessageType
from shared.models.user import account_of
from shared.wire.events import message_event


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
    """Give a waiting message its new text. Store the text of any other as another version, as accept() says.

    Raises what accept() raises, and NotEditable, NotTheLastMessage, ReplyOpen, TooManyVersions.
    """
    before = accepted_before(user_id, request, key)
    return before or _edit_in_place(user_id, request, key) or accept(_EDIT, user_id, request, key)


@retried
def _edit_in_place(user_id: str, request: EditRequest, key: str | None) -> Posted | None:
    """Edit a message while no worker has had its reply, which keeps its place and its price. None for any other.

    A worker that claims the reply afterwards reads the new text. A key that became known meanwhile is for accept().
    """
    with owner_unit(user_id, acting=True) as unit:
        chat = find_chat(user_id, request.chat_ref)
        message = find_message(chat.id, request.message_id)
        names = {"user_id": user_id, "message_id": message.id, "created_at": message.created_at}
        reply = execute(_waiting_reply, names).first()
        if reply is None:
            return None
        require_offered(request.model)
        if made_before(user_id, key, request, Made(message.id, reply.id)):
            return None
        edited = (_with_text(unit, message, request.content), _with_model(unit, reply, request.model))
        if edited != (message, reply):
            note_quietly(unit, chat.id)
        if chat.title_from == message.id and edited[0] != message:
            untitle(unit, chat.id)  # the title has words of the text that is gone (D-218)
        account = account_of(user_id)
        assert account is not None  # the unit has locked the owner's row
    return Posted(*edited, account)


def _with_text(unit: OwnerUnit, message: MessageRow, content: str) -> MessageRow:
    """The message with this text. The same text again changes nothing."""
    return message if message.content == content else _changed(unit, message._replace(content=content))


def _with_model(unit: OwnerUnit, reply: MessageRow, model: str | None) -> MessageRow:
    return reply if model in (None, reply.model) else _changed(unit, reply._replace(model=model))


def _changed(unit: OwnerUnit, message: MessageRow) -> MessageRow:
    unit.take(1)
    values = {"message_id": message.id, "text": message.content, "asked": message.model}
    changed = execute(_change, values | {"new_seq": unit.account.seq, "at": utc_now()})[0]
    unit.tell(message_event("message.updated", changed))
    return changed


def _check(user_id: str, request: EditRequest) -> tuple[str, Group, Group]:
    """The model, the versions of the message, and those of its reply."""
    message = find_message(find_chat(user_id, request.chat_ref).id, request.message_id)
    if message.message_type != MessageType.USER:
        raise NotEditable
    pair = find_last_pair(user_id, request.chat_ref, request.message_id)
    require_offered(request.model)
    return choose_model(request.model, pair.chat.settings), group_of(pair.question), pair.versions


def _store(unit: OwnerUnit, request: EditRequest, made: Made) -> Stored:
    model, edits, replies = _check(unit.account.user_id, request)
    place = take_place(unit, request.chat_ref, 2)
    require_room(place.open_replies)
    version = {"version": edits.next_version, "version_of": edits.root}
    message = message_row(unit, place, id=made.message_id, content=request.content, **version)
    reply = reply_row(unit, place, id=made.reply_id, reply_to=made.message_id, model=model)
    return store_rows(place, message, reply)._replace(replaces=(*edits.shown_ids, *replies.shown_ids))


_EDIT = Verb(_check, _store)
# Only a question that was stored with its reply waits with it. Any other stays as it is.
_waiting_reply = Prepared(
    select(*MESSAGE).where(
        messages.c.owner_id == bindparam("user_id"),
        IS_OPEN,
        WAITS,
        messages.c.reply_to == bindparam("message_id"),
        messages.c.created_at == bindparam("created_at"),
    ),
    MessageRow,
)
_change = Prepared(
    update(messages)
    .where(messages.c.id == bindparam("message_id"))
    .values(content=bindparam("text"), model=bindparam("asked"), seq=bindparam("new_seq"), updated_at=bindparam("at"))
    .returning(*MESSAGE),
    MessageRow,
)
