"""Catching up: a client asks for all changes after a number, page by page, until there are no more."""

from typing import Any

from flask import g

from api.access.decorators import signed_in
from api.http.blueprint import ApiBlueprint
from api.resources.live_text import with_live_text
from shared.actions.sync import changes_since
from shared.wire.changes import SyncIn, SyncOut
from shared.wire.credits import credits_data

sync = ApiBlueprint("sync", __name__, url_prefix="/sync", description="Catching up")


@sync.get("")
@signed_in
@sync.arguments(SyncIn, location="query")
@sync.response(200, SyncOut)
def list_changes(query: dict[str, Any]) -> dict[str, Any]:
    """The changes after the number `after`, and the number for the next call."""
    found = changes_since(g.user_id, query["after"], query["limit"])
    if found.reset:
        return {"reset": True, "cursor": found.cursor}
    return {
        "chats": found.chats,
        "messages": with_live_text(found.messages),
        "credits": credits_data(found.account),
        "cursor": found.cursor,
        "has_more": found.has_more,
    }
