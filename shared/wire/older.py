"""The shapes of the older HTTP contract: those of chats and messages, with the chat's id under its older names."""

from types import MappingProxyType
from typing import Any

from marshmallow import ValidationError, fields, validates_schema

from shared.wire.base import CamelSchema, Page, StrictString, Word, not_blank
from shared.wire.chats import ChatOut
from shared.wire.messages import MAX_MESSAGE, LiveMessageOut, MessagePage, PostedOut

_NAME = {"type": "string", "description": "The chat's id."}


class ConversationOut(ChatOut):
    """A chat."""

    conversation_id = fields.Function(lambda chat: chat.id, metadata=_NAME)
    session_id = fields.Function(lambda chat: chat.id, metadata=_NAME)


class ConversationPage(Page):
    """A page of chats."""

    items = fields.List(fields.Nested(ConversationOut))


class ConversationMessageIn(CamelSchema):
    """A message to store. No reply follows."""

    content = StrictString(MAX_MESSAGE, required=True, validate=not_blank)
    role = Word("user", "system", load_default="user")


class ConversationMessageOut(LiveMessageOut):
    """A message."""

    conversation_id = fields.Function(lambda message: message.chat_session_id, metadata=_NAME)
    session_id = fields.Function(lambda message: message.chat_session_id, metadata=_NAME)


class ConversationMessagePage(MessagePage):
    """A page of messages."""

    items = fields.List(fields.Nested(ConversationMessageOut))


class QuestionIn(CamelSchema):
    """A message to answer, as `content` or under its older name `message`."""

    says = MappingProxyType({"minProperties": 1, "maxProperties": 1})

    content = StrictString(MAX_MESSAGE, validate=not_blank)
    message = StrictString(MAX_MESSAGE, validate=not_blank)

    @validates_schema
    def _one_of_both(self, data: dict[str, Any], **_: Any) -> None:
        if len(data) != 1:
            raise ValidationError("Send `content` or `message`, one of both.", "content")


class QuestionOut(PostedOut):
    """An accepted message and the placeholder of its reply."""

    conversation_id = fields.Function(lambda posted: posted["message"].chat_session_id, metadata=_NAME)
