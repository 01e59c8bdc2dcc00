"""The forms of an export: JSON with everything, and Markdown for people. docs/export.md describes both.

Each form is made in pieces, so that a long conversation needs little memory.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from itertools import chain
from typing import Any

import msgspec
from marshmallow import fields

from shared.models.chat import ChatRow
from shared.models.status import MessageType, Status
from shared.wire.base import CamelSchema, Word
from shared.wire.chats import ChatOut
from shared.wire.messages import MessageOut

#: The version of the JSON. It grows when a field changes its meaning or goes. A new field leaves it as it is.
VERSION = 1
FORMATS = ("json", "markdown")
#: A chat, and its messages in pages.
Conversation = tuple[ChatRow, Iterable[Sequence[Any]]]


class ExportIn(CamelSchema):
    """The form of an export."""

    format = Word(*FORMATS, load_default="json")


class ExportedChatOut(ChatOut):
    """A chat with all its messages, by position."""

    messages = fields.List(fields.Nested(MessageOut))


class ExportOut(CamelSchema):
    """An export as JSON."""

    format = fields.String(metadata={"enum": ["holdfast-export"]})
    version = fields.Integer()
    exported_at = fields.DateTime()
    chats = fields.List(fields.Nested(ExportedChatOut))


_chat, _message = ChatOut(), MessageOut()
_SPEAKERS = {MessageType.USER: "You", MessageType.SYSTEM: "System"}
# A line that opens or closes a block of code, as CommonMark says.
_FENCE = re.compile(r"^ {0,3}(`{3,}|~{3,})(.*)$", re.MULTILINE)
_ENDS = {Status.CANCELLED: "Stopped", Status.PENDING: "Not written yet", Status.RUNNING: "Still being written"}


def as_json(conversations: Iterable[Conversation], at: datetime) -> Iterator[bytes]:
    """The pieces of an ExportOut."""
    head = {"format": "holdfast-export", "version": VERSION, "exportedAt": at.isoformat()}
    yield msgspec.json.encode(head)[:-1] + b',"chats":['
    for number, (chat, pages) in enumerate(conversations):
        yield (b",\n" if number else b"\n") + msgspec.json.encode(_chat.dump(chat))[:-1] + b',"messages":['
        between = b"\n"
        for page in pages:
            yield between + b",\n".join(msgspec.json.encode(_message.dump(message)) for message in page)
            between = b",\n"
        yield b"]}"
    yield b"\n]}\n"


def as_markdown(conversations: Iterable[Conversation], at: datetime) -> Iterator[bytes]:
    """The pieces of a text for people. It has the shown messages alone."""
    yield f"<!-- Exported from Holdfast, {_moment(at)} -->\n".encode()
    for chat, pages in conversations:
        yield f"\n# {chat.title}\n\n*{_moment(chat.created_at)}*\n".encode()
        for message in chain.from_iterable(pages):
            if message.shown:
                yield _spoken(message).encode()


def _spoken(message: Any) -> str:
    speaker = _SPEAKERS.get(message.message_type) or f"Assistant ({message.model})"
    end = _message.dump(message)["error"]
    note = f"Failed: {end['detail']}" if end else _ENDS.get(message.status)
    parts = [
        f"## {speaker}, {_moment(message.created_at)}",
        _closed(message.content.strip("\n")),
        f"*{note}*" if note else "",
    ]
    return "\n" + "\n\n".join(part for part in parts if part) + "\n"


def _closed(text: str) -> str:
    """The text with its last block of code closed. Else the rest of the file would be code."""
    opened = ""
    for fence, rest in _FENCE.findall(text):
        if not opened:
            opened = fence if fence[0] == "~" or "`" not in rest else ""
        elif fence.startswith(opened) and not rest.strip():
            opened = ""
    return f"{text}\n{opened}" if opened else text


def _moment(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M} UTC"
