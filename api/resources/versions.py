"""Versions of messages: ask for another reply, edit a message, list the versions, and choose the shown one."""

from typing import Annotated, Any

from flask import g
from msgspec import Meta
from sqlalchemy import select

from api.access.decorators import signed_in, with_token
from api.http.blueprint import ApiBlueprint
from api.http.paging import keyset_page
from api.resources.accepting import accepted
from api.resources.live_text import with_live_text
from shared.actions.messages.again import AgainRequest, ask_again
from shared.actions.messages.edit import EditRequest, edit_message
from shared.actions.messages.show import show_version
from shared.actions.messages.versions import versions_of
from shared.models.chat import find_chat
from shared.models.message import MESSAGE, MessageRow, find_message
from shared.models.message import messages as rows
from shared.wire.base import PageIn
from shared.wire.messages import AgainIn, EditIn, LiveMessageOut, MessagePage, PostedOut

versions = ApiBlueprint(
    "versions", __name__, url_prefix="/chats/<session_id>/messages/<message_id>", description="Versions of messages"
)
_Version = Annotated[int, Meta(ge=1, lt=2**31)]


@versions.post("/regenerate")
@with_token
@versions.arguments(AgainIn)
@versions.response(202, PostedOut)
def regenerate(body: dict[str, Any], chat_ref: str, message_id: str) -> Any:
    """Ask for another version of the last reply. The message that it answers may be named instead."""
    return accepted(ask_again, AgainRequest("regenerate", chat_ref, message_id, **body))


@versions.post("/retry")
@with_token
@versions.arguments(AgainIn)
@versions.response(202, PostedOut)
def retry(body: dict[str, Any], chat_ref: str, message_id: str) -> Any:
    """Ask again for the last reply, which failed or ended without text."""
    return accepted(ask_again, AgainRequest("retry", chat_ref, message_id, **body))


@versions.post("/continue")
@with_token
@versions.arguments(AgainIn)
@versions.response(202, PostedOut)
def go_on(body: dict[str, Any], chat_ref: str, message_id: str) -> Any:
    """Ask for the rest of the last reply, which broke off. The new version begins with the text so far."""
    return accepted(ask_again, AgainRequest("continue", chat_ref, message_id, **body))


@versions.patch("")
@with_token
@versions.arguments(EditIn)
@versions.response(202, PostedOut)
def edit(body: dict[str, Any], chat_ref: str, message_id: str) -> Any:
    """Edit your message: in place while its reply waits. Otherwise a new pair takes the place of your last message."""
    return accepted(edit_message, EditRequest(chat_ref, message_id, **body))


@versions.get("/versions")
@signed_in
@versions.arguments(PageIn, location="query")
@versions.response(200, MessagePage)
def list_versions(asked: dict[str, Any], chat_ref: str, message_id: str) -> dict[str, Any]:
    """All versions of a message or reply, oldest first. One of them is shown."""
    found = find_message(find_chat(g.user_id, chat_ref).id, message_id)
    wanted = select(*MESSAGE).where(versions_of(found), rows.c.deleted_at.is_(None))
    return keyset_page(
        wanted,
        asked,
        [rows.c.version],
        tuple[_Version],
        MessageRow,
        newest_first=False,
        present=with_live_text,
        text=rows.c.content,
    )


@versions.put("/shown")
@signed_in
@versions.response(200, LiveMessageOut)
def show(chat_ref: str, message_id: str) -> MessageRow:
    """Show this version instead of the other one. A message comes with its reply, and a reply with its message."""
    return show_version(g.user_id, chat_ref, message_id)
