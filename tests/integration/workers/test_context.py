"""The model gets the part of a long conversation that fits the budget, always with the newest message (F25)."""

from typing import Any

import pytest
from flask import Flask
from sqlalchemy import insert, update

from shared.actions.messages.delete import delete_message
from shared.actions.replies.finish import Answer, Superseded, complete_reply
from shared.database.tables import new_id
from shared.database.units import execute, write_unit
from shared.models import ChatSession, User
from shared.models.chat import chat_sessions
from shared.models.message import messages
from shared.models.status import MessageType, Status
from tests.channel import Channel
from tests.factories import a_claim, a_post, money_of, on_sqlite_only, the_message
from tests.fake_model import FakeModel
from tests.fake_request import Request
from workers.context.history import recent_messages
from workers.reply import Desk, write_reply

MANY = 5_000
SMALL = 2_000  # tokens
#: As many characters as a message may have, two bytes each.
HUGE = "é" * 100_000


@pytest.fixture
def long_chat(chat: ChatSession) -> ChatSession:
    """A chat with thousands of messages. Each has 100 characters of two bytes each, and begins with its number."""
    kinds = (MessageType.USER, MessageType.AI_REPORT)
    common = {"chat_session_id": chat.id, "owner_id": chat.owner_id, "status": Status.COMPLETED, "seq": 1}
    said = [
        common | {"id": new_id(), "position": n, "message_type": kinds[n % 2], "content": f"{n} ".ljust(100, "é")}
        for n in range(MANY)
    ]
    with write_unit():
        execute(insert(messages), said)
        execute(update(chat_sessions).where(chat_sessions.c.id == chat.id).values(next_position=MANY))
    return chat


def written(chat: ChatSession, desk: Desk, content: str) -> Any:
    """The row of the reply to a message with this content, once written."""
    posted = a_post(chat, content)
    write_reply(posted.reply.id, desk)
    return the_message(posted.reply.id)


def size(request: Request) -> float:
    """The tokens of the whole prompt by the rule in .env.example: a third of its bytes."""
    return sum(len(message["content"].encode()) for message in request.messages) / 3


@pytest.mark.settings(history_messages=MANY, context_tokens=SMALL)
def test_of_five_thousand_messages_the_newest_that_fit_are_sent(
    long_chat: ChatSession, desk: Desk, fake_model: FakeModel
) -> None:
    assert written(long_chat, desk, "Newest").status == "completed"
    (request,) = fake_model.requests
    _, *earlier, newest = request.messages
    assert newest == {"role": "user", "content": "Newest"}
    # no gap, the right roles, and as many messages as fit
    numbers = [int(message["content"].split()[0]) for message in earlier]
    assert numbers == list(range(MANY - len(earlier), MANY))
    assert {message["role"] for message in earlier[::-2]} == {"assistant"}
    assert 0.8 * SMALL < size(request) <= SMALL


@pytest.mark.settings(history_messages=MANY, context_tokens=SMALL)
def test_what_cannot_fit_is_not_even_read(long_chat: ChatSession) -> None:
    read = recent_messages(a_claim(a_post(long_chat, "Newest"))).messages
    assert sum(len(message["content"]) for message in read) <= 3 * SMALL
    assert read[-1]["content"] == "Newest"


@on_sqlite_only
def test_by_default_ten_messages_are_sent(long_chat: ChatSession, desk: Desk, fake_model: FakeModel) -> None:
    written(long_chat, desk, "Newest")
    (request,) = fake_model.requests
    assert len(request.messages) == 1 + 10


def test_a_huge_message_is_sent_whole_and_alone(chat: ChatSession, desk: Desk, fake_model: FakeModel) -> None:
    complete_reply(a_claim(a_post(chat, "Before")), Answer("Yes", finish_reason="stop"))
    newest = HUGE[: -len(" fake:chunks=1")] + " fake:chunks=1"
    assert written(chat, desk, newest).status == "completed"
    (request,) = fake_model.requests
    assert [message["content"] for message in request.messages[1:]] == [newest]


def test_a_huge_message_of_before_is_left_out_with_what_stands_before_it(
    chat: ChatSession, desk: Desk, fake_model: FakeModel
) -> None:
    for question, answer in (("First", "One"), (HUGE, "Two")):
        complete_reply(a_claim(a_post(chat, question)), Answer(answer, finish_reason="stop"))
    assert written(chat, desk, "Newest").status == "completed"
    (request,) = fake_model.requests
    assert [message["content"] for message in request.messages[1:]] == ["Two", "Newest"]


def test_a_question_that_is_gone_is_not_asked_whatever_was_said_before_it(chat: ChatSession) -> None:
    complete_reply(a_claim(a_post(chat, "Before")), Answer("Yes", finish_reason="stop"))
    posted = a_post(chat, "Newest")
    claim = a_claim(posted)
    assert [message["content"] for message in recent_messages(claim).messages] == ["Before", "Yes", "Newest"]
    delete_message(chat.owner_id, chat.id, posted.message.id)
    with pytest.raises(Superseded):
        recent_messages(claim)


def test_what_the_model_finds_too_long_is_asked_again_at_once_without_what_was_before(
    chat: ChatSession, user: User, desk: Desk, fake_model: FakeModel, channel: Channel
) -> None:
    complete_reply(a_claim(a_post(chat, "Before")), Answer("Yes", finish_reason="stop"))
    channel.forget()
    row = written(chat, desk, "Newest fake:context_length,times=1,chunks=2")
    assert (row.status, row.content, row.attempt, row.failures) == ("completed", "word0 word1 ", 1, 0)
    assert [len(request.messages) for request in fake_model.requests] == [4, 2]
    assert fake_model.requests[1].messages[-1] == fake_model.requests[0].messages[-1]
    assert money_of(user.id) == (294, 0)
    assert [event.data["attempt"] for event in channel.named("message.started")] == [1]


def test_what_is_too_long_even_so_fails_at_no_cost_and_the_next_message_is_answered(
    core: Flask, chat: ChatSession, user: User, desk: Desk, fake_model: FakeModel
) -> None:
    complete_reply(a_claim(a_post(chat, "Before")), Answer("Yes", finish_reason="stop"))
    row = written(chat, desk, "Newest fake:context_length")
    assert (row.status, row.error_code, money_of(user.id)) == ("failed", "context_too_long", (297, 0))
    assert [len(request.messages) for request in fake_model.requests] == [4, 2]  # and no third time
    assert written(chat, desk, "Next fake:chunks=1").status == "completed"


@on_sqlite_only
def test_a_message_that_is_alone_is_not_asked_for_twice(chat: ChatSession, desk: Desk, fake_model: FakeModel) -> None:
    assert written(chat, desk, "Newest fake:context_length").error_code == "context_too_long"
    assert len(fake_model.requests) == 1
