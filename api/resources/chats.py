"""Chats: create, list, read, change, touch, mark as seen, fork and delete."""

from datetime import datetime
from typing import Any
from uuid import UUID

from flask import g
from sqlalchemy import select

from api.access.decorators import signed_in
from api.access.limits import Limit
from api.http.blueprint import ApiBlueprint
from api.http.paging import Search, keyset_page
from api.resources.accepting import idempotency_key, within_limits
from shared.actions.chats.change import change_chat, see_chat, touch_chat
from shared.actions.chats.create import create_chat
from shared.actions.chats.delete import delete_chat
from shared.actions.chats.fork import ForkRequest, fork_chat, forked_before
from shared.models.chat import CHAT, ChatRow, find_chat
from shared.models.chat import chat_sessions as rows
from shared.models.user import owner_deleted_at
from shared.wire.chats import ChatIn, ChatOut, ChatPage, ChatPatch, ChatsIn, ForkIn, SeenIn

chats = ApiBlueprint("chats", __name__, url_prefix="/chats", description="Conversations")
_SORTS = {
    "lastActiveAt": rows.c.last_active_at,
    "updatedAt": rows.c.updated_at,
    "createdAt": rows.c.created_at,
}


@chats.post("")
@signed_in
@chats.arguments(ChatIn)
@chats.response(201, ChatOut)
def create(body: dict[str, Any]) -> ChatRow:
    """Make a chat."""
    return create_chat(g.user_id, **body)


@chats.get("")
@signed_in
@chats.arguments(ChatsIn, location="query")
@chats.response(200, ChatPage)
def list_chats(asked: dict[str, Any]) -> dict[str, Any]:
    """Your chats, newest first. A page of a search by `text` may be short; `nextCursor` tells whether to go on."""
    return chats_page(asked)


def chats_page(asked: dict[str, Any]) -> dict[str, Any]:
    """A page of the caller's chats, also for an older name of the list."""
    archived = rows.c.archived_at.is_not(None) if asked["archived"] else rows.c.archived_at.is_(None)
    own = select(*CHAT).where(rows.c.owner_id == g.user_id, rows.c.deleted_at.is_(None), archived)
    own = own.where(owner_deleted_at(g.user_id).is_(None))
    for name in ("team_id", "repo_id", "document_id"):
        if asked[name]:
            own = own.where(rows.c[name] == str(asked[name]))
    keys = [_SORTS[asked["sort"]], rows.c.id]
    return keyset_page(own, asked, keys, tuple[datetime, UUID], ChatRow, search=_search(asked["text"].casefold()))


def _search(text: str) -> Search | None:
    """A title fits if it has the text in any case. Databases know the cases of ASCII only, or of their own locale."""
    return Search(rows.c.title, lambda title: text in title.casefold()) if text else None


@chats.get("/<session_id>")
@signed_in
@chats.response(200, ChatOut)
def get(chat_ref: str) -> ChatRow:
    """One chat, by its id or its display id."""
    return find_chat(g.user_id, chat_ref)


@chats.patch("/<session_id>")
@signed_in
@chats.arguments(ChatPatch)
@chats.response(200, ChatOut)
def patch(body: dict[str, Any], chat_ref: str) -> ChatRow:
    """Change a chat's title or settings, archive it, or take it out of the archive."""
    return change_chat(g.user_id, chat_ref, **body)


@chats.post("/<session_id>/touch")
@signed_in
@chats.response(200, ChatOut)
def touch(chat_ref: str) -> ChatRow:
    """Note that you are active in the chat now. It becomes the newest by `lastActiveAt`."""
    return touch_chat(g.user_id, chat_ref)


@chats.put("/<session_id>/seen")
@signed_in
@chats.arguments(SeenIn)
@chats.response(200, ChatOut)
def mark_chat_seen(body: dict[str, Any], chat_ref: str) -> ChatRow:
    """Mark the chat as seen up to a `seq`. It is then no longer unread on any device."""
    return see_chat(g.user_id, chat_ref, body["seq"])


@chats.delete("/<session_id>")
@signed_in
@chats.response(204)
def delete(chat_ref: str) -> None:
    """Delete a chat with all its messages; unfinished replies end with their credits returned."""
    delete_chat(g.user_id, chat_ref)


@chats.post("/<session_id>/fork")
@signed_in
@chats.arguments(ForkIn)
@chats.response(201, ChatOut)
def fork(body: dict[str, Any], chat_ref: str) -> tuple[ChatRow, int, dict[str, str]]:
    """Make a chat with copies of the shown messages up to one of them. Nothing is charged."""
    asked, key = ForkRequest(chat_ref, body["message_id"], body.get("title")), idempotency_key()
    forked = within_limits(Limit.FORKS, fork_chat, forked_before, asked, key)
    return forked.chat, 201, {"Idempotent-Replayed": "true"} if forked.replayed else {}
