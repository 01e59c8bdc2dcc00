"""Every event that a client can get, with its fields. publish() puts events on the channel.

`api/realtime.py` reads the channel and sends each event to its user's sockets. Events are hints, and may be lost. The
database is the truth.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import msgspec
from marshmallow import Schema
from redis.client import Pipeline

from shared.models.chat import ChatRow
from shared.models.message import MessageRow
from shared.models.user import Account
from shared.redis.link import RedisLink
from shared.wire.changes import (
    ChatDeleted,
    CreditsChanged,
    Delta,
    EndEvent,
    MessageDeleted,
    MessageEvent,
    Resync,
    SocketClosing,
    StartEvent,
)
from shared.wire.chats import ChatOut
from shared.wire.credits import credits_data
from shared.wire.messages import MessageOut

# Bytes of UTF-8. A longer text is left out of the event, and the client asks for it.
MAX_CONTENT = 8 * 1024

_message, _chat = MessageOut(), ChatOut()


@dataclass(frozen=True)
class Kind:
    """The data of an event, and the moment when it is sent."""

    shape: Schema
    when: str

    @cached_property
    def fields(self) -> frozenset[str]:
        """The names that its data may hold."""
        return frozenset(field.data_key or name for name, field in self.shape.fields.items())


_end, _any = EndEvent(), MessageEvent()

#: Durable events carry `seq`, the user's change counter. The last three are fleeting and have none. `make events`
#: writes the table of docs/events.md and the client's types from this.
CATALOGUE = {
    "message.created": Kind(_any, "a message or a placeholder was stored"),
    "message.started": Kind(StartEvent(), "a worker began an attempt; text of an earlier one no longer counts"),
    "message.completed": Kind(_end, "the reply is whole"),
    "message.failed": Kind(_end, "the reply failed; `error` says why"),
    "message.cancelled": Kind(_end, "the reply was stopped or expired; a deleted one has `message.deleted`"),
    "message.updated": Kind(_any, "something else about the message changed, as when it waits for its next attempt"),
    "message.deleted": Kind(MessageDeleted(), "the message was deleted"),
    "chat.created": Kind(_chat, "the chat was created: empty, or as a fork"),
    "chat.updated": Kind(_chat, "the chat's title or settings changed, or that it is `archived`, `parked` or `unread`"),
    "chat.deleted": Kind(ChatDeleted(), "the chat was deleted, with its messages"),
    "credits.changed": Kind(CreditsChanged(), "credits were held, charged or returned"),
    "message.delta": Kind(Delta(), "a piece of text of a running reply"),
    "resync": Kind(Resync(), "events may have been lost: catch up"),
    "socket.closing": Kind(SocketClosing(), "the server ends this socket; `code` says why, such as `token_expired`"),
}


class UndeclaredEvent(Exception):
    """The catalogue does not list this event or one of its fields."""


@dataclass(frozen=True)
class Event:
    """One message to one user's open tabs."""

    user_id: str
    name: str
    data: dict[str, Any]


def message_event(name: str, message: MessageRow, next_index: int | None = None) -> Event:
    """An event with a whole message. `next_index` is the number of deltas that its text stands for."""
    data = _message.dump(message)
    if len(data["content"].encode()) > MAX_CONTENT:
        del data["content"]
        data["contentOmitted"] = True
    if next_index is not None:
        data["nextIndex"] = next_index
    return Event(message.owner_id, name, data)


def chat_event(name: str, chat: ChatRow) -> Event:
    """An event with a chat, without its messages."""
    return Event(chat.owner_id, name, _chat.dump(chat))


def credits_event(account: Account, seq: int) -> Event:
    """An event with the balance after a change."""
    return Event(account.user_id, "credits.changed", credits_data(account) | {"seq": seq})


def publish(link: RedisLink, pipe: Pipeline, events: Iterable[Event]) -> None:
    """Add one channel message with all these events to a trip."""
    pipe.publish(link.channel, b"[" + b",".join(map(encode, events)) + b"]")


def encode(event: Event) -> bytes:
    """One entry of a channel message: `[user id, name, data]`. Raises UndeclaredEvent."""
    declared = CATALOGUE.get(event.name)
    if declared is None or not event.data.keys() <= declared.fields:
        raise UndeclaredEvent(f"{event.name}: {sorted(event.data)} is not in the catalogue")
    return msgspec.json.encode((event.user_id, event.name, event.data))
