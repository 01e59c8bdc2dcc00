"""Requests about the queue of a chat, and the order of its messages."""

from typing import Any

from flask.testing import FlaskClient
from sqlalchemy import select

from shared.actions.messages.accept import Posted
from shared.database.units import query
from shared.models import ChatSession
from shared.models.message import messages
from shared.models.status import Status
from tests.factories import the_user

Three = tuple[Posted, Posted, Posted]


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


def ids(*posts: Posted) -> list[str]:
    return [message.id for posted in posts for message in (posted.message, posted.reply)]


def names(*posts: Posted) -> list[str]:
    return [posted.message.id for posted in posts]


def reorder(me: FlaskClient, chat: ChatSession, *posts: Posted, if_seq: int | None = None) -> Any:
    body = {"order": names(*posts), "ifSeq": the_user(chat.owner_id).seq if if_seq is None else if_seq}
    return me.put(f"/chats/{chat.id}/queue", json=body)


def listed(me: FlaskClient, chat: ChatSession, query: str = "") -> list[str]:
    return [item["id"] for item in me.get(f"/chats/{chat.id}/queue{query}").json["items"]]


def edit(me: FlaskClient, posted: Posted, content: str, key: str = "", **others: Any) -> Any:
    path = f"/chats/{posted.message.chat_session_id}/messages/{posted.message.id}"
    return me.patch(path, json={"content": content} | others, headers={"Idempotency-Key": key} if key else {})


def remove(me: FlaskClient, chat: ChatSession, message: Any) -> Any:
    return me.delete(f"/chats/{chat.id}/queue/{message.id}")
