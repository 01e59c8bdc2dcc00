"""Search over the caller's own messages and titles."""

from typing import Any

from flask import g

from api.access.decorators import signed_in
from api.http.blueprint import ApiBlueprint
from shared.actions.search.find import Place, find
from shared.actions.search.words import Words
from shared.wire.cursors import decode_cursor, encode_cursor
from shared.wire.search import PLACE, FoundPage, SearchIn

search = ApiBlueprint("search", __name__, url_prefix="/search", description="Search")


@search.get("")
@signed_in
@search.arguments(SearchIn, location="query")
@search.response(200, FoundPage)
def list_found(asked: dict[str, Any]) -> dict[str, Any]:
    """Your messages and titles with all these words, the best first. The last word may be unfinished."""
    after = _place(asked["cursor"]) if asked["cursor"] else None
    items, last = find(g.user_id, Words(asked["q"]), asked["limit"], after)
    return {"items": items, "next_cursor": encode_cursor(last, PLACE) if last else None}


def _place(cursor: str) -> Place:
    """The place that a cursor holds. Any other numbers of the same form are some place, too."""
    is_title, *numbers = decode_cursor(cursor, PLACE)
    return Place(bool(is_title), *(max(0, number) for number in numbers))
