"""The shapes of chats."""

from marshmallow import fields, validate

from shared.wire.base import FLAG, CamelSchema, Line, PageIn, Word, not_blank

MAX_TITLE = 200
_SORTS = ("lastActiveAt", "updatedAt", "createdAt")


class ChatsIn(PageIn):
    """The page of the chats to read, newest first by `sort`."""

    sort = Word(*_SORTS, load_default="lastActiveAt")


class ChatIn(CamelSchema):
    """A new chat. Without a title its title is `New chat`."""

    title = Line(MAX_TITLE, validate=not_blank)


class ChatPatch(CamelSchema):
    """The changes to make to a chat."""

    title = Line(MAX_TITLE, required=True, validate=not_blank)


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
    archived = fields.Function(lambda chat: chat.archived_at is not None, metadata=FLAG)
    parked = fields.Function(lambda chat: chat.parked_at is not None, metadata=FLAG)
    unread = fields.Function(lambda chat: chat.seq > chat.seen_seq, metadata=FLAG)
    seq = fields.Integer()


class ChatPage(CamelSchema):
    """A page of chats."""

    items = fields.List(fields.Nested(ChatOut))
    next_cursor = fields.String()


class SeenIn(CamelSchema):
    """The `seq` up to which the user has seen the chat."""

    seq = fields.Integer(required=True, strict=True, validate=validate.Range(min=0))
