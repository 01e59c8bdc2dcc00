"""Search over the caller's own messages and titles."""

from typing import Any

from flask import g

from api.access.decorators import signed_in
from api.http.blueprint import ApiBlueprint
from api.http.paging import decode_cursor, encode_cursor
from shared.actions.search.find import Place, find
from shared.actions.search.words import Words
from shared.wire.search import FoundPage, SearchIn

search = ApiBlueprint("search", __name__, url_prefix="/search", description="Search")


@search.get("")
@signed_in
@search.arguments(SearchIn, location="query")
@search.response(200, FoundPage)
def list_found(asked: dict[str, Any]) -> dict[str, Any]:
    """Your messages and titles with all these words, the best first. The last word may be unfinished."""
    after = decode_cursor(asked["cursor"], Place) if asked["cursor"] else None
    items, last = find(g.user_id, Words(asked["q"]), asked["limit"], after)
    return {"items": items, "next_cursor": encode_cursor(*last) if last else None}
