"""The shapes of messages. Events carry the same shapes as REST."""

from typing import Any

from marshmallow import fields, validate

from shared.errors.catalogue import catalogue
from shared.models.status import FINAL, ROLES, MessageType, Status
from shared.wire.base import (
    MAX_ID,
    CamelSchema,
    Flag,
    IdList,
    Page,
    PageIn,
    StrictString,
    Whole,
    Word,
    not_blank,
    object_of,
)
from shared.wire.credits import CreditsOut
from shared.wire.cursors import Cursor

MAX_MESSAGE = 100_000
MAX_MODEL = 200
#: Characters of a reply. Text beyond them is dropped, and the reply ends as `length`.
MAX_REPLY = 1024 * 1024
#: Messages of a queue that can be put into an order. A body has 100 strings at most (D-102).
MAX_ORDER = 95
#: The answers to a post while a reply of its chat is open. The first is the default.
WHEN_BUSY = ("queue", "reject", "interrupt")
_ROLE = {"type": "string", "enum": sorted(set(ROLES.values()))}
_ERROR = object_of(code="string", detail="string", retryable="boolean") | {"type": ["object", "null"]}

_PLACE = object_of(ahead="integer", estimatedStartAt=["string", "null"], noWorker="boolean")
_PLACE |= {"type": ["object", "null"], "description": "Of a reply that waits: its place in the queue."}


class PlacesIn(PageIn):
    """The page of a list that is sorted by one number."""

    cursor = Cursor(int)


class MessagesIn(PlacesIn):
    """The page of the messages to read, by position. `around` names a message, and then no `cursor` counts."""

    order = Word("asc", "desc", load_default="asc")
    around = StrictString(MAX_ID, load_default=None, allow_none=False)


class MessageIn(CamelSchema):
    """A message to store and answer. With `generate: false`, no reply follows. `role: system` is for admins."""

    content = StrictString(MAX_MESSAGE, required=True, validate=not_blank)
    model = StrictString(MAX_MODEL, load_default=None)
    when_busy = Word(*WHEN_BUSY, load_default=None)
    generate = Flag(load_default=None)
    role = Word("user", "system", load_default="user")


class AgainIn(CamelSchema):
    """Another version of a reply. Without a model, the server chooses."""

    model = StrictString(MAX_MODEL, load_default=None)


class EditIn(AgainIn):
    """The new text of a message. While its reply waits, no model means that the reply keeps its own."""

    content = StrictString(MAX_MESSAGE, required=True, validate=not_blank)


class QueueIn(CamelSchema):
    """The new order of everything that waits in a chat, as it was at the number `ifSeq`.

    The id of a user's message stands for the message and its reply. `ifSeq` is the highest `seq` that the client knows.
    """

    order = IdList(MAX_ORDER, required=True)
    if_seq = Whole(required=True, validate=validate.Range(min=0))


class MessageOut(CamelSchema):
    """A message. While it runs, `content` is the text so far and `nextIndex` the index of the next delta."""

    id = fields.String()
    chat_session_id = fields.String()
    user_id = fields.String(attribute="owner_id")
    message_type = fields.String(metadata={"enum": list(MessageType)})
    status = fields.String(metadata={"enum": list(Status)})
    role = fields.Function(lambda message: ROLES[message.message_type], metadata=_ROLE)
    content = fields.String()
    reply_to = fields.String(allow_none=True)
    version = fields.Integer()
    version_of = fields.String(allow_none=True, metadata={"description": "The first version; null in it."})
    shown = fields.Boolean(metadata={"description": "False: another version stands in its place."})
    continues = fields.String(allow_none=True, metadata={"description": "The reply whose text this one begins with."})
    position = fields.Integer()
    attempt = fields.Integer()
    model = fields.String(allow_none=True)
    finish_reason = fields.String(allow_none=True)
    error = fields.Function(lambda message: _error(message.error_code), metadata=_ERROR)
    tokens = fields.Function(
        lambda message: {"input": message.tokens_in, "output": message.tokens_out},
        metadata=object_of(input=["integer", "null"], output=["integer", "null"]),
    )
    credits = fields.Method("_credits", metadata=object_of(held="integer", charged="integer", released="integer"))
    changes = fields.Dict(allow_none=True)
    created_at = fields.DateTime()
    started_at = fields.DateTime(allow_none=True)
    first_text_at = fields.DateTime(allow_none=True)
    completed_at = fields.DateTime(allow_none=True)
    seq = fields.Integer()

    def _credits(self, message: Any) -> dict[str, int]:
        """The held credits of the reply: those still held, those charged, and those given back."""
        final = message.status in FINAL
        held, charged = message.credits_held, message.credits_charged
        return {"held": 0 if final else held, "charged": charged, "released": held - charged if final else 0}


def _error(code: str | None) -> dict[str, Any] | None:
    if code is None:
        return None
    known = catalogue()[code]
    return {"code": code, "detail": known.detail, "retryable": known.retryable}


class LiveMessageOut(MessageOut):
    """A message as REST shows it."""

    next_index = fields.Integer(metadata={"description": "Only while the reply runs.", "x-optional": True})
    queue = fields.Method("_queue", metadata=_PLACE)

    def _queue(self, message: Any) -> dict[str, Any] | None:
        """The place of a reply that waits; None for every other message. Events lack it (D-156)."""
        place = getattr(message, "queue", None)
        if place is None:
            return None
        start = place.estimated_start_at
        return {
            "ahead": place.ahead,
            "estimatedStartAt": start and start.isoformat(),
            "noWorker": place.no_worker,
        }


class MessagePage(Page):
    """A page of messages."""

    items = fields.List(fields.Nested(LiveMessageOut))
    prev_cursor = fields.String(
        allow_none=True,
        metadata={
            "description": "Only with `around`: goes on before the first item, with the other `order`.",
            "x-optional": True,
        },
    )


class PostedOut(CamelSchema):
    """An accepted message and the placeholder of its reply. Without a reply, `reply` is null."""

    message = fields.Nested(LiveMessageOut)
    reply = fields.Nested(LiveMessageOut, allow_none=True)
    credits = fields.Nested(CreditsOut)
