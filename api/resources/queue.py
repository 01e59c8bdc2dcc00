"""The queue of a chat: list what waits, put it into another order, take a message out, and resume a parked chat."""

from typing import Any
from uuid import UUID

from flask import g

from api.access.decorators import signed_in
from api.http.blueprint import ApiBlueprint
from api.http.paging import keyset_page
from api.resources.live_text import with_live_text
from shared.actions.queue.parking import resume_queue
from shared.actions.queue.reorder import remove_waiting, reorder_queue
from shared.actions.queue.waiting import waiting_messages
from shared.models.chat import ChatRow, find_chat
from shared.models.message import MessageRow
from shared.models.message import messages as rows
from shared.wire.base import MAX_LIMIT
from shared.wire.chats import ChatOut
from shared.wire.messages import MessagePage, PlacesIn, QueueIn

queue = ApiBlueprint("queue", __name__, url_prefix="/chats/<session_id>/queue", description="Waiting messages")


@queue.get("")
@signed_in
@queue.arguments(PlacesIn, location="query")
@queue.response(200, MessagePage)
def list_queue(asked: dict[str, Any], chat_ref: str) -> dict[str, Any]:
    """The messages that wait for a worker, each with the placeholder of its reply, the next one first."""
    return _page(find_chat(g.user_id, chat_ref), asked)


@queue.put("")
@signed_in
@queue.arguments(QueueIn)
@queue.response(200, MessagePage)
def reorder(body: dict[str, Any], chat_ref: str) -> dict[str, Any]:
    """Put the waiting messages into another order. If the queue has changed meanwhile, the answer is 409."""
    chat = reorder_queue(g.user_id, chat_ref, body["order"], body["if_seq"])
    return _page(chat, {"limit": MAX_LIMIT, "cursor": None})


@queue.delete("/<uuid:message_id>")  # no other text, or `resume` would be a message
@signed_in
@queue.response(204)
def remove_from_queue(chat_ref: str, message_id: UUID) -> None:
    """Delete a message that waits, with its reply. Its credits return. If a worker has it, the answer is 409."""
    remove_waiting(g.user_id, chat_ref, str(message_id))


@queue.post("/resume")
@signed_in
@queue.response(200, ChatOut)
def resume(chat_ref: str) -> ChatRow:
    """Resume a chat that a failed or stopped reply has parked. Its waiting replies get their turns again."""
    return resume_queue(g.user_id, chat_ref)


def _page(chat: ChatRow, asked: dict[str, Any]) -> dict[str, Any]:
    return keyset_page(
        waiting_messages(g.user_id, chat.id),
        asked,
        [rows.c.position],
        tuple[int],
        MessageRow,
        newest_first=False,
        present=with_live_text,
        text=rows.c.content,
    )
