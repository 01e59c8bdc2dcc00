"""The shapes of messages. Events carry the same shapes as REST."""

from typing import Any

from marshmallow import fields

from shared.errors.catalogue import catalogue
from shared.models.status import FINAL, ROLES, MessageType, Status
from shared.wire.base import CamelSchema, PageIn, StrictString, Word, not_blank, object_of
from shared.wire.credits import CreditsOut

MAX_MESSAGE = 100_000
MAX_MODEL = 200
_ROLE = {"type": "string", "enum": sorted(set(ROLES.values()))}
_ERROR = object_of(code="string", detail="string", retryable="boolean") | {"type": ["object", "null"]}


class MessagesIn(PageIn):
    """The page of the messages to read, by position."""

    order = Word("asc", "desc", load_default="asc")


class MessageIn(CamelSchema):
    """A message to store and answer."""

    content = StrictString(MAX_MESSAGE, required=True, validate=not_blank)
    model = StrictString(MAX_MODEL, load_default=None)


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
    changes = fields.Raw(allow_none=True)
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


class MessagePage(CamelSchema):
    """A page of messages."""

    items = fields.List(fields.Nested(LiveMessageOut))
    next_cursor = fields.String()


class PostedOut(CamelSchema):
    """An accepted message and the placeholder of its reply."""

    message = fields.Nested(MessageOut)
    reply = fields.Nested(LiveMessageOut)
    credits = fields.Nested(CreditsOut)
