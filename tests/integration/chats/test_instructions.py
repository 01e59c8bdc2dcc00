"""A chat's own instructions are the first message that the model gets, and are never cut or left out."""

import pytest

from shared.actions.chats.change import change_chat
from shared.actions.replies.finish import Answer, complete_reply
from shared.models import ChatSession
from tests.factories import a_claim, a_post, on_sqlite_only
from tests.fake_model import FakeModel
from tests.integration.workers.asking import written
from workers.context import build_context
from workers.context.budget import estimated_tokens
from workers.reply import Desk

LONGEST = "é" * 4_000


def instructed(chat: ChatSession, text: str | None) -> None:
    change_chat(chat.owner_id, chat.id, settings={"instructions": text})


def said_before(chat: ChatSession, number: int) -> None:
    for n in range(number):
        complete_reply(a_claim(a_post(chat, f"{n} ".ljust(300, "x"))), Answer("Yes", finish_reason="stop"))


def test_the_instructions_of_the_chat_come_first_and_alone(
    chat: ChatSession, desk: Desk, fake_model: FakeModel
) -> None:
    instructed(chat, "Answer in rhymes. “Always”\\ 😀")
    written(chat, desk, "One")
    instructed(chat, None)
    written(chat, desk, "Two")
    first, second = (request.messages for request in fake_model.requests)
    assert first == [
        {"role": "system", "content": "Answer in rhymes. “Always”\\ 😀"},
        {"role": "user", "content": "One"},
    ]
    assert [message["role"] for message in second] == ["system", "user", "assistant", "user"]
    assert "rhymes" not in second[0]["content"]


@on_sqlite_only
@pytest.mark.settings(history_messages=100, context_tokens=3_000)
def test_the_instructions_count_in_the_budget(chat: ChatSession) -> None:
    said_before(chat, 20)
    sizes = []
    for text in (None, LONGEST):
        instructed(chat, text)
        claim = a_claim(a_post(chat, "Now"))
        prompt = build_context(claim)
        sizes.append((len(prompt.messages), sum(map(estimated_tokens, prompt.messages))))
        complete_reply(claim, Answer("Yes", finish_reason="stop"))
    (most, whole), (few, instructed_whole) = sizes
    assert most > few > 2
    assert whole <= 3_000
    assert instructed_whole <= 3_000


@on_sqlite_only
@pytest.mark.settings(context_tokens=100)
def test_instructions_beyond_the_budget_are_whole_and_so_is_the_question(chat: ChatSession) -> None:
    said_before(chat, 1)
    instructed(chat, LONGEST)
    prompt = build_context(a_claim(a_post(chat, "Now")))
    assert [message["content"] for message in prompt.messages] == [LONGEST, "Now"]


@on_sqlite_only
def test_what_the_model_finds_too_long_is_asked_again_with_the_instructions(
    chat: ChatSession, desk: Desk, fake_model: FakeModel
) -> None:
    said_before(chat, 1)
    instructed(chat, "Rhyme")
    written(chat, desk, "Newest fake:context_length,times=1,chunks=2")
    assert [message["content"] for message in fake_model.requests[1].messages[:1]] == ["Rhyme"]
    assert len(fake_model.requests[1].messages) == 2
