"""Versions of messages: ask for another reply, list the versions, and choose the shown one."""

from typing import Any

from flask import g
from sqlalchemy import select

from api.access.decorators import signed_in, with_token
from api.http.blueprint import ApiBlueprint
from api.http.paging import keyset_page
from api.resources.accepting import accepted
from api.resources.live_text import with_live_text
from shared.actions.messages.again import AgainRequest, ask_again
from shared.actions.messages.show import show_version
from shared.actions.messages.versions import versions_of
from shared.models.chat import chat_deleted_at, find_chat
from shared.models.message import MESSAGE, MessageRow, find_message
from shared.models.message import messages as rows
from shared.wire.messages import AgainIn, LiveMessageOut, MessagePage, PlacesIn, PostedOut

versions = ApiBlueprint(
    "versions", __name__, url_prefix="/chats/<session_id>/messages/<message_id>", description="Versions of messages"
)


@versions.post("/regenerate")
@with_token
@versions.arguments(AgainIn)
@versions.response(202, PostedOut)
def regenerate_message(body: dict[str, Any], chat_ref: str, message_id: str) -> Any:
    """Ask for another version of the last reply. The message that it answers may be named instead."""
    return accepted(ask_again, AgainRequest("regenerate", chat_ref, message_id, **body))


@versions.post("/retry")
@with_token
@versions.arguments(AgainIn)
@versions.response(202, PostedOut)
def retry_message(body: dict[str, Any], chat_ref: str, message_id: str) -> Any:
    """Ask again for the last reply, which failed or ended without text."""
    return accepted(ask_again, AgainRequest("retry", chat_ref, message_id, **body))


@versions.post("/continue")
@with_token
@versions.arguments(AgainIn)
@versions.response(202, PostedOut)
def continue_message(body: dict[str, Any], chat_ref: str, message_id: str) -> Any:
    """Ask for the rest of the last reply, which broke off. The new version begins with the text so far."""
    return accepted(ask_again, AgainRequest("continue", chat_ref, message_id, **body))


@versions.get("/versions")
@signed_in
@versions.arguments(PlacesIn, location="query")
@versions.response(200, MessagePage)
def list_versions(asked: dict[str, Any], chat_ref: str, message_id: str) -> dict[str, Any]:
    """All versions of a message or reply, oldest first. One of them is shown."""
    found = find_message(find_chat(g.user_id, chat_ref).id, message_id)
    wanted = select(*MESSAGE).where(
        versions_of(found), rows.c.deleted_at.is_(None), chat_deleted_at(found.chat_session_id).is_(None)
    )
    return keyset_page(
        wanted,
        asked,
        [rows.c.version],
        tuple[int],
        MessageRow,
        newest_first=False,
        present=with_live_text,
        text=rows.c.content,
    )


@versions.put("/shown")
@signed_in
@versions.response(200, LiveMessageOut)
def show(chat_ref: str, message_id: str) -> Any:
    """Show this version instead of the other one. A message comes with its reply, and a reply with its message."""
    return with_live_text([show_version(g.user_id, chat_ref, message_id)])[0]
