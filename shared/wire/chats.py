"""The shapes of chats."""

from typing import Any

from marshmallow import fields, post_load, validate

from shared.models.chat import TitleSource
from shared.text import shows_nothing
from shared.wire.base import (
    FLAG,
    MAX_ID,
    CamelSchema,
    Flag,
    FlagText,
    Line,
    Page,
    PageIn,
    StrictString,
    Whole,
    Word,
    not_blank,
    object_of,
)
from shared.wire.messages import MAX_MODEL, WHEN_BUSY

MAX_TITLE = 200
MAX_INSTRUCTIONS = 4_000
_SORTS = ("lastActiveAt", "updatedAt", "createdAt")
_SETTINGS = object_of(
    model=["string", "null"],
    whenBusy=["string", "null"],
    includeContext=["boolean", "null"],
    instructions=["string", "null"],
)


class ChatsIn(PageIn):
    """The page of the chats to read, newest first by `sort`. The filters count together."""

    sort = Word(*_SORTS, load_default="lastActiveAt")
    archived = FlagText(
        load_default=False,
        metadata={"description": "The archived chats, or those that are not."},
    )
    team_id = fields.UUID(load_default=None, allow_none=False)
    repo_id = fields.UUID(load_default=None, allow_none=False)
    document_id = fields.UUID(load_default=None, allow_none=False)
    text = Line(MAX_TITLE, load_default="", metadata={"description": "A part of the title, in any case."})


class ChatSettingsIn(CamelSchema):
    """The settings of a chat to set. A key with null is cleared, and the server's default counts. Others stay."""

    model = StrictString(MAX_MODEL, allow_none=True)
    when_busy = Word(*WHEN_BUSY, allow_none=True)
    include_context = Flag(allow_none=True)
    instructions = StrictString(
        MAX_INSTRUCTIONS,
        allow_none=True,
        metadata={"description": "The first system message that the model gets. A blank text counts as null."},
    )

    @post_load
    def _as_stored(self, data: dict[str, Any], **_: Any) -> dict[str, Any]:
        """By the names of the wire, which are those of the row."""
        given = data.get("instructions")
        if given is not None and shows_nothing(given):
            data["instructions"] = None
        return {self.fields[name].data_key or name: value for name, value in data.items()}


class ChatIn(CamelSchema):
    """A new chat. Without a title its title is `New chat`, and a model may find a better one."""

    title = Line(MAX_TITLE, load_default=None, allow_none=False, validate=not_blank)
    team_id = fields.UUID(load_default=None, allow_none=True)
    repo_id = fields.UUID(load_default=None, allow_none=True)
    document_id = fields.UUID(load_default=None, allow_none=True)
    settings = fields.Nested(ChatSettingsIn, load_default=dict)


class ForkIn(CamelSchema):
    """The message up to which the new chat has copies. Without a title, the new chat has the old one's."""

    title = Line(MAX_TITLE, load_default=None, allow_none=False, validate=not_blank)
    message_id = StrictString(MAX_ID, required=True)


class ChatPatch(CamelSchema):
    """The changes to make to a chat. Fields that are left out stay."""

    title = Line(MAX_TITLE, validate=not_blank)
    archived = Flag()
    settings = fields.Nested(ChatSettingsIn)


class ChatOut(CamelSchema):
    """A chat, without its messages."""

    id = fields.String()
    display_id = fields.String()
    title = fields.String()
    title_source = fields.String(metadata={"enum": list(TitleSource)})
    user_id = fields.String(attribute="owner_id")
    team_id = fields.String(allow_none=True)
    repo_id = fields.String(allow_none=True)
    document_id = fields.String(allow_none=True)
    created_at = fields.DateTime()
    updated_at = fields.DateTime()
    last_active_at = fields.DateTime()
    archived = fields.Function(lambda chat: chat.archived_at is not None, metadata=FLAG)
    settings = fields.Function(
        lambda chat: {name: chat.settings.get(name) for name in _SETTINGS["properties"]}, metadata=_SETTINGS
    )
    parked = fields.Function(lambda chat: chat.parked_at is not None, metadata=FLAG)
    unread = fields.Function(lambda chat: chat.seq > chat.seen_seq, metadata=FLAG)
    seq = fields.Integer()


class ChatPage(Page):
    """A page of chats."""

    items = fields.List(fields.Nested(ChatOut))


class SeenIn(CamelSchema):
    """The `seq` up to which the user has seen the chat."""

    seq = Whole(required=True, validate=validate.Range(min=0))
