"""Every event a client can hear, with its fields, and how events are put on the channel.

`api/realtime.py` hears the channel and tells each user's sockets. Events are hints: the database is the truth.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import msgspec
from redis.client import Pipeline

from shared.models.user import Account
from shared.redis_link import RedisLink
from shared.schemas import ChatOut, MessageOut

# Bytes of UTF-8; a longer text is left out of the event, and the client asks for it.
MAX_CONTENT = 8 * 1024

_message, _chat = MessageOut(), ChatOut()
_MESSAGE = frozenset(field.data_key for field in _message.fields.values()) | {"contentOmitted", "nextIndex"}
_CHAT = frozenset(field.data_key for field in _chat.fields.values())

#: Durable events carry `seq`, the user's change counter; the last three are fleeting and have none.
CATALOGUE: dict[str, frozenset[str | None]] = {
    "message.created": _MESSAGE,
    "message.started": _MESSAGE,
    "message.completed": _MESSAGE,
    "message.failed": _MESSAGE,
    "message.cancelled": _MESSAGE,
    "message.updated": _MESSAGE,
    "message.deleted": frozenset({"id", "chatSessionId", "seq"}),
    "chat.created": _CHAT,
    "chat.updated": _CHAT,
    "chat.deleted": frozenset({"id", "seq"}),
    "credits.changed": frozenset({"balance", "held", "seq"}),
    "message.delta": frozenset({"messageId", "chatSessionId", "attempt", "index", "text"}),
    "resync": frozenset(),
    "socket.closing": frozenset({"code"}),  # said by `realtime` to one socket; never on the channel
}


class UndeclaredEvent(Exception):
    """An event or a field that the catalogue does not list."""


@dataclass(frozen=True)
class Event:
    """Something one user's open tabs should hear."""

    user_id: str
    name: str
    data: dict[str, Any]


def message_event(name: str, message: Any, next_index: int | None = None) -> Event:
    """A whole message; `next_index` tells how many deltas the ended attempt sent."""
    data = _message.dump(message)
    if len(data["content"].encode()) > MAX_CONTENT:
        del data["content"]
        data["contentOmitted"] = True
    if next_index is not None:
        data["nextIndex"] = next_index
    return Event(message.owner_id, name, data)


def chat_event(name: str, chat: Any) -> Event:
    """A whole chat, without its messages."""
    return Event(chat.owner_id, name, _chat.dump(chat))


def credits_event(account: Account, seq: int) -> Event:
    """The balance after a change."""
    return Event(account.user_id, "credits.changed", credits_data(account) | {"seq": seq})


def credits_data(account: Account) -> dict[str, int]:
    """What is left to spend, and what running replies hold."""
    return {"balance": account.credits, "held": account.held}


def publish(link: RedisLink, pipe: Pipeline, events: Iterable[Event]) -> None:
    """Add one channel message with all these events to a trip."""
    pipe.publish(link.channel, b"[" + b",".join(map(encode, events)) + b"]")


def encode(event: Event) -> bytes:
    """One entry of a channel message: `[user id, name, data]`. Raises UndeclaredEvent."""
    declared = CATALOGUE.get(event.name)
    if declared is None or not event.data.keys() <= declared:
        raise UndeclaredEvent(f"{event.name}: {sorted(event.data)} is not in the catalogue")
    return msgspec.json.encode((event.user_id, event.name, event.data))
