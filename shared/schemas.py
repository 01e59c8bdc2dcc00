"""The shapes on the wire, in and out: field names, types, limits. Never a query, never a rule of the domain.

Events carry the same shapes as REST.
"""

import unicodedata
from typing import Any

from marshmallow import Schema, ValidationError, fields, validate

from shared.errors import catalogue
from shared.models.credits import GRANT
from shared.models.message import FINAL, ROLES, MessageType, Status
from shared.text import clean

MAX_MESSAGE = 100_000
MAX_TITLE = 200
_SORTS = ("lastActiveAt", "updatedAt", "createdAt")


def _camel(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(word.title() for word in rest)


def _object(**properties: str | list[str]) -> dict[str, Any]:
    """What OpenAPI and the client's types say of a field that is made by a function."""
    return {"type": "object", "properties": {name: {"type": kind} for name, kind in properties.items()}}


_FLAG = {"type": "boolean"}
_ROLE = {"type": "string", "enum": sorted(set(ROLES.values()))}
_ERROR = _object(code="string", detail="string", retryable="boolean") | {"type": ["object", "null"]}


class CamelSchema(Schema):
    """snake_case in Python, camelCase in JSON; an unknown field is an error."""

    def on_bind_field(self, field_name: str, field_obj: Any) -> None:
        field_obj.data_key = field_obj.data_key or _camel(field_name)

    def get_attribute(self, obj: Any, attr: str, default: Any) -> Any:
        """The library's own way is open to more kinds of objects, and is most of what a message on the wire costs."""
        return obj.get(attr, default) if isinstance(obj, dict) else getattr(obj, attr, default)


class StrictString(fields.String):
    """A string, cleaned of what no database or terminal can hold; nothing else is taken for one."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> str:
        if not isinstance(value, str):
            raise self.make_error("invalid")
        return clean(value)


class Line(StrictString):
    """One line of text for people: NFC, no control characters, trimmed."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> str:
        text = unicodedata.normalize("NFC", super()._deserialize(value, attr, data, **kwargs))
        return " ".join("".join(c if c.isprintable() else " " for c in text).split())


def not_blank(text: str) -> None:
    """Refuse text that shows nothing."""
    if not text.strip():
        raise ValidationError("Must not be blank.")


class ConfigOut(CamelSchema):
    """What a client has to know before anybody signs in."""

    realtime_url = fields.String()
    models = fields.List(fields.String())
    credits_per_reply = fields.Integer()


class PageIn(CamelSchema):
    """Which page of a list: `cursor` is the `nextCursor` of the page before."""

    limit = fields.Integer(load_default=50, validate=validate.Range(min=1, max=200))
    cursor = StrictString(load_default=None)


class ChatsIn(PageIn):
    """Which page of the chats, newest first by `sort`."""

    sort = StrictString(load_default="lastActiveAt", validate=validate.OneOf(_SORTS))


class MessagesIn(PageIn):
    """Which page of the messages, by position."""

    order = StrictString(load_default="asc", validate=validate.OneOf(["asc", "desc"]))


class ChatIn(CamelSchema):
    """A new chat; without a title it is called `New chat`."""

    title = Line(validate=[validate.Length(max=MAX_TITLE), not_blank])


class ChatPatch(CamelSchema):
    """What to change about a chat."""

    title = Line(required=True, validate=[validate.Length(max=MAX_TITLE), not_blank])


class ChatOut(CamelSchema):
    """A chat, without its messages."""

    id = fields.String()
    display_id = fields.String()
    title = fields.String()
    user_id = fields.String(attribute="owner_id")
    team_id = fields.String(allow_none=True)
    repo_id = fields.String(allow_none=True)
    document_id = fields.String(allow_none=True)
    created_at = fields.DateTime()
    updated_at = fields.DateTime()
    last_active_at = fields.DateTime()
    archived = fields.Function(lambda chat: chat.archived_at is not None, metadata=_FLAG)
    parked = fields.Function(lambda chat: chat.parked_at is not None, metadata=_FLAG)
    unread = fields.Function(lambda chat: chat.seq > chat.seen_seq, metadata=_FLAG)
    seq = fields.Integer()


class ChatPage(CamelSchema):
    """A page of chats."""

    items = fields.List(fields.Nested(ChatOut))
    next_cursor = fields.String()


class SeenIn(CamelSchema):
    """Up to which number of `seq` the chat has been seen."""

    seq = fields.Integer(required=True, strict=True, validate=validate.Range(min=0))


class MessageIn(CamelSchema):
    """A message to store and answer."""

    content = StrictString(required=True, validate=[validate.Length(max=MAX_MESSAGE), not_blank])
    model = StrictString(load_default=None)


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
        metadata=_object(input=["integer", "null"], output=["integer", "null"]),
    )
    credits = fields.Method("_credits", metadata=_object(held="integer", charged="integer", released="integer"))
    changes = fields.Raw(allow_none=True)
    created_at = fields.DateTime()
    started_at = fields.DateTime(allow_none=True)
    first_text_at = fields.DateTime(allow_none=True)
    completed_at = fields.DateTime(allow_none=True)
    seq = fields.Integer()

    def _credits(self, message: Any) -> dict[str, int]:
        """Of what was set aside: still held, charged for good, and given back."""
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


class CreditsOut(CamelSchema):
    """What is left to spend, and what running replies hold."""

    balance = fields.Integer()
    held = fields.Integer()


class CreditEntryOut(CamelSchema):
    """One movement of credits. `messageId` is the reply that it was for; a grant has none."""

    id = fields.String()
    delta = fields.Integer()
    kind = fields.String()
    message_id = fields.Function(lambda entry: None if entry.kind == GRANT else entry.ref)
    created_at = fields.DateTime()


class CreditEntryPage(CamelSchema):
    """A page of the ledger."""

    items = fields.List(fields.Nested(CreditEntryOut))
    next_cursor = fields.String()


class PostedOut(CamelSchema):
    """An accepted message and the placeholder of its reply."""

    message = fields.Nested(MessageOut)
    reply = fields.Nested(LiveMessageOut)
    credits = fields.Nested(CreditsOut)
