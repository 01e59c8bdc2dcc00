"""A worker cuts off a model that takes too long, at any point of its answer. The connection closes in time."""

import time
from typing import Any

import pytest
from flask import Flask

from shared.models import ChatSession, User
from tests.channel import Channel
from tests.eventually import eventually
from tests.factories import a_chat, a_post, clock, meanwhile, money_of, on_sqlite_only, the_message
from tests.fair_clock import CLOCK
from tests.fake_model import FakeModel
from tests.fake_request import Request
from workers.reply import Desk, write_reply

# The model must see the connection close within this many seconds after a deadline.
PROMPT = 2


def is_open_for(request: Request, seconds: float, began: float) -> bool:
    """Whether the connection closed no sooner than so long after the test began, and soon after it was due.

    A busy model notes the start of a request late, so that moment cannot show that the worker was patient.
    """
    assert request.closed_at
    fair = CLOCK.between(request.opened_at, request.closed_at)
    return request.closed_at - began >= seconds and fair < seconds + PROMPT


def written(chat: ChatSession, desk: Desk) -> Any:
    posted = a_post(chat)
    write_reply(posted.reply.id, desk)
    return the_message(posted.reply.id)


@on_sqlite_only
@pytest.mark.settings(first_text_timeout=0.5, model="fake:hang")
def test_a_model_that_does_not_answer_is_given_up(chat: ChatSession, desk: Desk, fake_model: FakeModel) -> None:
    began, row = time.time(), written(chat, desk)
    assert (row.status, row.failures, row.content) == ("pending", 1, "")
    (request,) = fake_model.requests
    eventually(lambda: request.ending == "client closed")
    assert is_open_for(request, 0.5, began)


@on_sqlite_only
@pytest.mark.settings(first_text_timeout=0.5, model="fake:keepalive_only")
def test_bytes_without_text_are_no_progress(chat: ChatSession, desk: Desk, fake_model: FakeModel) -> None:
    began, row = time.time(), written(chat, desk)
    assert (row.status, row.failures, row.first_text_at) == ("pending", 1, None)
    (request,) = fake_model.requests
    eventually(lambda: request.ending == "client closed")
    assert is_open_for(request, 0.5, began)


@pytest.mark.settings(first_text_timeout=9.0, silence_timeout=0.5, model="fake:hang_after=3")
def test_silence_after_text_fails_the_reply_with_its_text(
    chat: ChatSession, user: User, desk: Desk, fake_model: FakeModel
) -> None:
    began, row = time.time(), written(chat, desk)
    assert (row.status, row.error_code) == ("failed", "model_timeout")
    assert row.content == "You said: Hello"
    assert money_of(user.id) == (300, 0)
    (request,) = fake_model.requests
    eventually(lambda: request.ending == "client closed")
    assert is_open_for(request, 0.5, began)


@on_sqlite_only
# On a busy machine a pause may take twice as long.
@pytest.mark.settings(silence_timeout=2.0, model="fake:chunks=4,every=800")
def test_a_slow_answer_is_no_silence(chat: ChatSession, desk: Desk) -> None:
    assert written(chat, desk).status == "completed"


@on_sqlite_only
@pytest.mark.settings(reply_timeout=3.0, model="fake:endless,every=20")
def test_a_reply_that_never_ends_is_cut_at_the_deadline_of_the_whole(
    chat: ChatSession, user: User, desk: Desk, fake_model: FakeModel
) -> None:
    began, row = time.time(), written(chat, desk)
    assert (row.status, row.error_code) == ("failed", "reply_timeout")
    assert row.content.startswith("word0 word1 ")
    assert money_of(user.id) == (300, 0)
    (request,) = fake_model.requests
    eventually(lambda: request.ending == "client closed")
    assert is_open_for(request, 3, began)


@on_sqlite_only
@pytest.mark.settings(model="fake:endless,every=0")
def test_an_endless_answer_is_kept_up_to_the_cap_and_flagged(
    chat: ChatSession, user: User, desk: Desk, fake_model: FakeModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("workers.run.MAX_REPLY", 100)
    row = written(chat, desk)
    assert (row.status, row.finish_reason, row.credits_charged) == ("completed", "length", 3)
    assert row.content == "".join(f"word{n} " for n in range(50))[:100]
    (request,) = fake_model.requests
    eventually(lambda: request.ending == "client closed", within=PROMPT)


@pytest.mark.settings(lease_seconds=1.0, model="fake:chunks=3,gate=door")
def test_the_lease_is_kept_while_the_model_talks(
    core: Flask, chat: ChatSession, desk: Desk, fake_model: FakeModel, channel: Channel
) -> None:
    posted = a_post(chat)
    with meanwhile(core, lambda: write_reply(posted.reply.id, desk)):
        eventually(lambda: channel.named("message.delta"))
        first = the_message(posted.reply.id).lease_until
        eventually(lambda: the_message(posted.reply.id).lease_until > first + 1_000)
        row = the_message(posted.reply.id)
        assert (row.content, row.live_index) == ("word0 ", 1)
        assert row.lease_until > clock()
        fake_model.open_gate("door")
    assert the_message(posted.reply.id).status == "completed"


@on_sqlite_only
@pytest.mark.settings(silence_timeout=0.5, model="fake")
def test_one_reply_that_is_cut_leaves_the_others_alone(
    core: Flask, user: User, desk: Desk, fake_model: FakeModel
) -> None:
    silent = a_post(a_chat(user), "Silent fake:hang_after=1")
    slow = a_post(a_chat(user), "Slow fake:chunks=8,every=200")
    with meanwhile(core, lambda: write_reply(slow.reply.id, desk)):
        write_reply(silent.reply.id, desk)
    assert the_message(silent.reply.id).error_code == "model_timeout"
    assert the_message(slow.reply.id).status == "completed"
