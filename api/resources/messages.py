"""Messages of a chat: post, edit, stop, delete and read them. A running reply is read with its text so far."""

from typing import Any

from flask import g
from sqlalchemy import select

from api.access.decorators import signed_in, with_token
from api.http.blueprint import ApiBlueprint
from api.http.paging import keyset_page
from api.resources.accepting import accepted
from api.resources.live_text import with_live_text
from shared.actions.messages.delete import delete_message
from shared.actions.messages.edit import EditRequest, edit_message
from shared.actions.messages.idempotency import PostRequest
from shared.actions.messages.post import post_message
from shared.actions.replies.stop import stop_reply
from shared.models.chat import chat_deleted_at, find_chat
from shared.models.message import MESSAGE, MessageRow, find_message
from shared.models.message import messages as rows
from shared.wire.cursors import encode_cursor
from shared.wire.messages import EditIn, LiveMessageOut, MessageIn, MessagePage, MessagesIn, PostedOut

messages = ApiBlueprint("messages", __name__, url_prefix="/chats/<session_id>/messages", description="Messages")


@messages.post("")
@with_token
@messages.arguments(MessageIn)
@messages.response(202, PostedOut)
@messages.alt_response(201, schema=PostedOut, description="Stored without a reply, for `generate: false`.")
def post(body: dict[str, Any], chat_ref: str) -> Any:
    """Post a message. The answer holds the placeholder of the reply, which a worker fills in."""
    return accepted(post_message, PostRequest(chat_ref, **body))


@messages.get("")
@signed_in
@messages.arguments(MessagesIn, location="query")
@messages.response(200, MessagePage)
def list_messages(asked: dict[str, Any], chat_ref: str) -> dict[str, Any]:
    """The chat's shown messages by position. With `around`, that message is in the middle of the page."""
    return messages_page(asked, chat_ref)


def messages_page(asked: dict[str, Any], chat_ref: str) -> dict[str, Any]:
    """A page of the chat's messages, also for the older names of the list."""
    chat = find_chat(g.user_id, chat_ref)
    if asked["around"]:
        return _around(chat.id, find_message(chat.id, asked["around"]).position, asked)
    return _page(chat.id, asked["limit"], asked["cursor"], newest_first=asked["order"] == "desc")


@messages.get("/<message_id>")
@signed_in
@messages.response(200, LiveMessageOut)
def get(chat_ref: str, message_id: str) -> Any:
    """One message. A running reply has its text so far."""
    found = find_message(find_chat(g.user_id, chat_ref).id, message_id)
    return with_live_text([found])[0]


@messages.patch("/<message_id>")
@with_token
@messages.arguments(EditIn)
@messages.response(202, PostedOut)
def edit(body: dict[str, Any], chat_ref: str, message_id: str) -> Any:
    """Edit your message: in place while its reply waits. Otherwise a new pair takes the place of your last message."""
    return accepted(edit_message, EditRequest(chat_ref, message_id, **body))


@messages.post("/<message_id>/stop")
@signed_in
@messages.response(200, LiveMessageOut)
def stop(chat_ref: str, message_id: str) -> MessageRow:
    """Stop a reply. Its text so far stays and is charged; if there is none, the credits return."""
    return stop_reply(g.user_id, chat_ref, message_id)


@messages.delete("/<message_id>")
@signed_in
@messages.response(204)
def delete(chat_ref: str, message_id: str) -> None:
    """Delete a message of your own with its replies, or a reply that is not being written."""
    delete_message(g.user_id, chat_ref, message_id)


def _around(chat_id: str, position: int, asked: dict[str, Any]) -> dict[str, Any]:
    """The page with this position in its middle. The cursor before its first item is one of the other order (D-150)."""
    before = asked["limit"] // 2
    earlier: dict[str, Any] = {"items": [], "next_cursor": _cursor(position)}
    if before:
        earlier = _page(chat_id, before, _cursor(position), newest_first=True)
    later = _page(chat_id, asked["limit"] - before, _cursor(position - 1), newest_first=False)
    first, last = (later, earlier) if asked["order"] == "desc" else (earlier, later)
    items = first["items"][::-1] + last["items"]
    return {"items": items, "next_cursor": last["next_cursor"], "prev_cursor": first["next_cursor"]}


def _cursor(position: int) -> str:
    return encode_cursor([position], [int])


def _page(chat_id: str, limit: int, cursor: str | None, *, newest_first: bool) -> dict[str, Any]:
    wanted = select(*MESSAGE).where(
        rows.c.chat_session_id == chat_id,
        rows.c.shown.is_(True),
        rows.c.deleted_at.is_(None),
        chat_deleted_at(chat_id).is_(None),
    )
    return keyset_page(
        wanted,
        {"limit": limit, "cursor": cursor},
        [rows.c.position],
        tuple[int],
        MessageRow,
        newest_first=newest_first,
        present=with_live_text,
        text=rows.c.content,
    )
