"""The shapes of changes: the rows of `GET /sync`, and the data of each event."""

from typing import Any

from marshmallow import fields, post_dump, validate

from shared.wire.base import CamelSchema, WholeText
from shared.wire.chats import ChatOut
from shared.wire.credits import CreditsOut
from shared.wire.messages import LiveMessageOut, MessageOut


class Changed(CamelSchema):
    """A row as it is now. Of a deleted row, only a tombstone is left."""

    deleted = fields.Function(
        lambda row: row.deleted_at is not None,
        metadata={"type": "boolean", "description": "Only true: a tombstone, with ids and `seq`.", "x-optional": True},
    )
    left: tuple[str, ...] = ("id", "seq", "deleted")

    @post_dump
    def _of_a_tombstone_only_what_is_left(self, data: dict[str, Any], **_: Any) -> dict[str, Any]:
        if data.pop("deleted"):
            return {name: data[name] for name in self.left if name in data} | {"deleted": True}
        return data


class ChangedChatOut(Changed, ChatOut):
    """A chat that changed, or `{id, seq, deleted}`."""


class ChangedMessageOut(Changed, LiveMessageOut):
    """A message that changed, or `{id, chatSessionId, seq, deleted}`."""

    left = ("id", "chatSessionId", "seq", "deleted")


class SyncIn(CamelSchema):
    """The `seq` after which changes are wanted. Without it the answer holds no rows, only the newest number."""

    after = WholeText(load_default=None, allow_none=False, validate=validate.Range(min=0))
    limit = WholeText(load_default=50, validate=validate.Range(min=1, max=200))


class SyncOut(CamelSchema):
    """The changes. With `reset` there is only `cursor`: read everything anew, then ask again after it."""

    left = ("cursor", "reset")

    chats = fields.List(fields.Nested(ChangedChatOut))
    messages = fields.List(fields.Nested(ChangedMessageOut))
    credits = fields.Nested(CreditsOut)
    cursor = fields.Integer(
        metadata={"description": "The `after` of the next call. A reset has only `reset` and this field."}
    )
    has_more = fields.Boolean()
    reset = fields.Boolean(metadata={"description": "Only true.", "x-optional": True})


class MessageEvent(MessageOut):
    """A message as an event carries it."""

    content = fields.String(metadata={"description": "Left out above 8 KB.", "x-optional": True})
    content_omitted = fields.Boolean(metadata={"description": "Only true: ask for the text.", "x-optional": True})


class StartEvent(MessageEvent):
    """A reply that a worker begins to write."""

    next_index = fields.Integer(
        metadata={
            "description": "Only 1: `content` is a kept text, which counts as the first delta.",
            "x-optional": True,
        }
    )


class EndEvent(MessageEvent):
    """A reply in its final state."""

    next_index = fields.Integer(metadata={"description": "How many deltas its last attempt sent."})


class MessageDeleted(CamelSchema):
    """A message that was deleted."""

    id = fields.String()
    chat_session_id = fields.String()
    seq = fields.Integer()


class ChatDeleted(CamelSchema):
    """A chat that was deleted, with all its messages."""

    id = fields.String()
    seq = fields.Integer()


class CreditsChanged(CreditsOut):
    """The balance after a change."""

    seq = fields.Integer()


class Delta(CamelSchema):
    """A piece of text of a running reply."""

    message_id = fields.String()
    chat_session_id = fields.String()
    attempt = fields.Integer()
    index = fields.Integer(metadata={"description": "0, 1, 2, … within an attempt."})
    text = fields.String()


class Resync(CamelSchema):
    """This event has no data."""


class SocketClosing(CamelSchema):
    """The reason why `realtime` closes one socket. It is never on the channel."""

    code = fields.String(metadata={"description": "A code of the catalogue of errors."})
