"""A conversation in which each reply ends as a test wants, and the verbs about its messages over HTTP."""

from dataclasses import replace
from typing import Any

from flask.testing import FlaskClient
from sqlalchemy import insert, update

from shared.actions.messages.accept import Posted
from shared.actions.replies.finish import Answer, complete_reply, fail_reply
from shared.actions.replies.stop import stop_reply
from shared.database.tables import new_id
from shared.database.units import execute, write_unit
from shared.errors.replies import ModelTruncated
from shared.models import ChatSession
from shared.models.chat import chat_sessions
from shared.models.message import MessageRow, messages
from shared.models.status import MessageType, Status
from tests.factories import a_claim, a_post, change, the_message

TEXT = "Half of an answer"


def ended(posted: Posted, how: str = "completed", text: str = TEXT) -> Posted:
    """The same post, after its reply has ended in this way."""
    reply = posted.reply
    assert reply
    if how == "stopped at once":
        stop_reply(reply.owner_id, reply.chat_session_id, reply.id)
        return posted
    claim = a_claim(posted)
    if how == "failed":
        fail_reply(claim, ModelTruncated(), Answer(text, 1))
    elif how == "stopped":
        stop_with(text, the_message(claim.id))
    else:
        complete_reply(claim, Answer(text, 1, "fake", "length" if how == "cut" else "stop", 3, 5))
    return posted


def stop_with(text: str, reply: Any) -> None:
    """Stop a running reply whose checkpoint has this text."""
    change(reply.id, content=text, live_index=1)
    stop_reply(reply.owner_id, reply.chat_session_id, reply.id)


def with_reply(posted: Posted, reply_id: str) -> Posted:
    """The same post, with another version of its reply."""
    return replace(posted, reply=the_message(reply_id))


def answered(chat: ChatSession, content: str = "A question", how: str = "completed") -> Posted:
    """A post whose reply has ended."""
    return ended(a_post(chat, content), how)


def verb(me: FlaskClient, message: MessageRow | None, name: str, key: str | None = None, **body: Any) -> Any:
    """The answer to one verb about this message."""
    assert message
    path = f"/chats/{message.chat_session_id}/messages/{message.id}"
    headers = {"Idempotency-Key": key} if key else {}
    if name == "edit":
        return me.patch(path, json={"content": "Another question"} | body, headers=headers)
    if name == "shown":
        return me.put(f"{path}/shown")
    return me.post(f"{path}/{name}", json=body, headers=headers)


def listed(me: FlaskClient, chat: ChatSession) -> list[str]:
    """The texts of the messages that a reader sees."""
    return [item["content"] for item in me.get(f"/chats/{chat.id}/messages").json["items"]]


def versions(me: FlaskClient, message: MessageRow | None) -> list[tuple[int, bool]]:
    """The number of each version, and whether it is shown."""
    assert message
    found = me.get(f"/chats/{message.chat_session_id}/messages/{message.id}/versions").json["items"]
    return [(one["version"], one["shown"]) for one in found]


def long_chat(chat: ChatSession, count: int) -> str:
    """Fill the chat with messages. Returns the id of the last one."""
    kinds = (MessageType.USER, MessageType.AI_REPORT)
    common = {"chat_session_id": chat.id, "owner_id": chat.owner_id, "status": Status.COMPLETED, "seq": 1}
    rows = [
        common | {"id": new_id(), "position": n, "message_type": kinds[n % 2], "content": f"{n} ".ljust(100, ".")}
        for n in range(count)
    ]
    with write_unit():
        execute(insert(messages), rows)
        execute(update(chat_sessions).where(chat_sessions.c.id == chat.id).values(next_position=count))
    return str(rows[-1]["id"])
