"""The older HTTP contract, for clients that were written for it. `docs/older-clients.md` has all its names.

Each route does the same as one of chats or messages.
"""

from typing import Any

from flask import g

from api.access.decorators import signed_in, with_token
from api.http.blueprint import ApiBlueprint
from api.resources.accepting import accepted
from api.resources.chats import chats_page
from api.resources.messages import messages_page
from shared.actions.chats.create import create_chat
from shared.actions.messages.idempotency import PostRequest
from shared.actions.messages.post import post_message
from shared.models.chat import ChatRow
from shared.wire.chats import ChatIn, ChatsIn
from shared.wire.messages import MessagesIn
from shared.wire.older import (
    ConversationMessageIn,
    ConversationMessageOut,
    ConversationMessagePage,
    ConversationOut,
    ConversationPage,
    QuestionIn,
    QuestionOut,
)

older = ApiBlueprint("older", __name__, url_prefix="/api", description="The older names of chats and messages")


@older.post("/conversations", strict_slashes=False)
@signed_in
@older.arguments(ChatIn)
@older.response(201, ConversationOut)
def create_conversation(body: dict[str, Any]) -> ChatRow:
    """Make a chat, as `POST /chats`."""
    return create_chat(g.user_id, **body)


@older.post("/conversations/<session_id>/messages")
@with_token
@older.arguments(ConversationMessageIn)
@older.response(201, ConversationMessageOut)
def save_message(body: dict[str, Any], chat_ref: str) -> Any:
    """Store a message without a reply, as `POST /chats/{sessionId}/messages` with `generate: false`."""
    posted, status, headers = accepted(post_message, PostRequest(chat_ref, **body, generate=False))
    return posted["message"], status, headers


@older.post("/chat/start")
@signed_in
@older.arguments(ChatIn)
@older.response(201, ConversationOut)
def start_chat(body: dict[str, Any]) -> ChatRow:
    """Make a chat, as `POST /chats`."""
    return create_chat(g.user_id, **body)


@older.post("/chat/<session_id>/message")
@with_token
@older.arguments(QuestionIn, required=True, example={"message": "What is a placeholder?"})
@older.response(202, QuestionOut)
def send_chat_message(body: dict[str, Any], chat_ref: str) -> Any:
    """Post a message, as `POST /chats/{sessionId}/messages`. A worker writes the reply."""
    (content,) = body.values()
    return accepted(post_message, PostRequest(chat_ref, content))


@older.get("/conversations", strict_slashes=False)
@signed_in
@older.arguments(ChatsIn, location="query")
@older.response(200, ConversationPage)
def list_conversations(asked: dict[str, Any]) -> dict[str, Any]:
    """Your chats, as `GET /chats`."""
    return chats_page(asked)


@older.get("/conversations/<session_id>/messages")
@signed_in
@older.arguments(MessagesIn, location="query")
@older.response(200, ConversationMessagePage)
def list_conversation_messages(asked: dict[str, Any], chat_ref: str) -> dict[str, Any]:
    """The chat's shown messages, as `GET /chats/{sessionId}/messages`."""
    return messages_page(asked, chat_ref)


@older.get("/chat/<session_id>/history")
@signed_in
@older.arguments(MessagesIn, location="query")
@older.response(200, ConversationMessagePage)
def list_history(asked: dict[str, Any], chat_ref: str) -> dict[str, Any]:
    """The chat's shown messages, as `GET /chats/{sessionId}/messages`."""
    return messages_page(asked, chat_ref)
