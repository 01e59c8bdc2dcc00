"""Messages of a chat: post, stop, delete and read them. A running reply is read with its text so far."""

from typing import Annotated, Any

from flask import g, request
from msgspec import Meta
from sqlalchemy import select

from api.access.decorators import signed_in, with_token
from api.access.limits import Limit, spend
from api.http.blueprint import ApiBlueprint
from api.http.paging import keyset_page
from api.resources.live_text import with_live_text
from shared.actions.messages.delete import delete_message
from shared.actions.messages.idempotency import PostRequest
from shared.actions.messages.post import Posted, post_message, posted_before
from shared.actions.replies.stop import stop_reply
from shared.errors.requests import InvalidRequest, TooManyRequests
from shared.models.chat import chat_deleted_at, find_chat
from shared.models.message import MESSAGE, MessageRow, find_message
from shared.models.message import messages as rows
from shared.wire.credits import credits_data
from shared.wire.messages import LiveMessageOut, MessageIn, MessagePage, MessagesIn, PostedOut

messages = ApiBlueprint("messages", __name__, url_prefix="/chats/<session_id>/messages", description="Messages")
_LONGEST_KEY = 255
_Position = Annotated[int, Meta(ge=0, lt=2**31)]


@messages.post("")
@with_token
@messages.arguments(MessageIn)
@messages.response(202, PostedOut)
def post(body: dict[str, Any], chat_ref: str) -> Any:
    """Post a message. The answer holds the placeholder of the reply, which a worker fills in."""
    posted = _post_within_limits(PostRequest(chat_ref, **body), _idempotency_key())
    replayed = {"Idempotent-Replayed": "true"} if posted.replayed else {}
    return _presented(posted), 202, replayed


@messages.get("")
@signed_in
@messages.arguments(MessagesIn, location="query")
@messages.response(200, MessagePage)
def list_messages(asked: dict[str, Any], chat_ref: str) -> dict[str, Any]:
    """The chat's messages by position."""
    chat = find_chat(g.user_id, chat_ref)
    wanted = select(*MESSAGE).where(rows.c.chat_session_id == chat.id, rows.c.deleted_at.is_(None))
    wanted = wanted.where(chat_deleted_at(chat.id).is_(None))
    newest_first = asked["order"] == "desc"
    return keyset_page(
        wanted,
        asked,
        [rows.c.position],
        tuple[_Position],
        MessageRow,
        newest_first=newest_first,
        present=with_live_text,
        text=rows.c.content,
    )


@messages.get("/<message_id>")
@signed_in
@messages.response(200, LiveMessageOut)
def get(chat_ref: str, message_id: str) -> Any:
    """One message. A running reply has its text so far."""
    found = find_message(find_chat(g.user_id, chat_ref).id, message_id)
    return with_live_text([found])[0]


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


def _post_within_limits(asked: PostRequest, key: str | None) -> Posted:
    """Post, or answer a known key even beyond the limit, since its message was accepted (D-112)."""
    try:
        spend(Limit.POSTS, g.user_id)
    except TooManyRequests:
        if before := posted_before(g.user_id, asked, key):
            return before
        raise
    return post_message(g.user_id, asked, key)


def _idempotency_key() -> str | None:
    key = request.headers.get("Idempotency-Key")
    if key is not None and not (0 < len(key) <= _LONGEST_KEY and key.isascii() and key.isprintable()):
        raise InvalidRequest(errors={"Idempotency-Key": [f"1 to {_LONGEST_KEY} printable ASCII characters."]})
    return key


def _presented(posted: Posted) -> dict[str, Any]:
    (reply,) = with_live_text([posted.reply])
    return {"message": posted.message, "reply": reply, "credits": credits_data(posted.account)}
