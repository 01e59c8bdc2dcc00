"""Posts with a rule for a busy chat, and the order of a chat's messages."""

from typing import Any

from flask.testing import FlaskClient
from sqlalchemy import select

from shared.database.units import query
from shared.models import ChatSession
from shared.models.message import messages
from shared.models.status import Status


def ask(me: FlaskClient, chat: ChatSession, rule: Any = None, *, content: str = "Hello", key: str = "") -> Any:
    body = {"content": content} | ({} if rule is None else {"whenBusy": rule})
    return me.post(f"/chats/{chat.id}/messages", json=body, headers={"Idempotency-Key": key} if key else {})


def in_order(chat: ChatSession) -> list[str]:
    """The ids of the chat's messages by their places."""
    rows = select(messages.c.id).where(messages.c.chat_session_id == chat.id).order_by(messages.c.position)
    return [row.id for row in query(rows)]


def places_of(chat: ChatSession) -> list[int]:
    """The places that the chat's messages have, each as often as it is taken."""
    rows = select(messages.c.position).where(messages.c.chat_session_id == chat.id).order_by(messages.c.position)
    return [row.position for row in query(rows)]


def running_in(chat: ChatSession) -> int:
    rows = select(messages.c.id).where(messages.c.chat_session_id == chat.id, messages.c.status == Status.RUNNING)
    return len(query(rows))
