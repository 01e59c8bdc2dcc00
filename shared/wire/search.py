"""The shapes of a search over the caller's own messages and titles."""

from marshmallow import fields, validate

from shared.wire.base import CamelSchema, Page, PageIn, StrictString, WholeText, not_blank
from shared.wire.cursors import Cursor

MAX_SEARCH = 200
#: The kinds of the numbers in a cursor: those of a Place in shared/actions/search/find.py.
PLACE = (int,) * 5


class SearchIn(PageIn):
    """The words to look for: all of them, in any order. Quotes make a phrase, and the last word may be unfinished."""

    q = StrictString(MAX_SEARCH, required=True, validate=not_blank)
    cursor = Cursor(*PLACE)
    limit = WholeText(load_default=20, validate=validate.Range(min=1, max=50))


class SnippetPart(CamelSchema):
    """A part of a snippet, as plain text."""

    text = fields.String()
    match = fields.Boolean(metadata={"description": "True: highlight it."})


class FoundOut(CamelSchema):
    """A message that has the words. If `messageId` is null, it is the title of the chat that has them."""

    chat_session_id = fields.String()
    message_id = fields.String(allow_none=True)
    title = fields.String(metadata={"description": "The title of the chat."})
    snippet = fields.List(
        fields.Nested(SnippetPart),
        metadata={"description": "200 characters at most around the first place, cut in parts."},
    )
    created_at = fields.DateTime()


class FoundPage(Page):
    """A page of what was found, the best first: titles, then messages."""

    items = fields.List(fields.Nested(FoundOut))
