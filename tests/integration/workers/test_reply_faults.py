"""Each way in which a model fails has its code. The tests pin the retry, the text kept, and the credits given back."""

from dataclasses import replace
from typing import Any

import pytest
from flask import Flask

from shared.actions.queue.parking import resume_queue
from shared.errors.catalogue import catalogue
from shared.models import ChatSession, User
from tests.channel import Channel
from tests.factories import a_post, money_of, on_sqlite_only, the_message, the_user
from tests.fake_model import FakeModel
from tests.integration.workers.asking import ask, run_again
from workers.providers.scripted import ScriptedProvider
from workers.reply import Desk, write_reply

#: Faults before any text, each with the error code of the reply.
BEFORE_TEXT = {
    "status=500": "model_unavailable",
    "status=503": "model_unavailable",
    "status=408": "model_unavailable",
    "status=409": "model_unavailable",
    "status=429": "rate_limited",
    "status=400": "model_rejected",
    "status=401": "model_rejected",
    "status=402": "model_rejected",
    "status=403": "model_rejected",
    "status=404": "model_rejected",
    "context_length": "context_too_long",
    "context_length,like=vllm": "context_too_long",
    "context_length,like=llama": "context_too_long",
    "context_length,like=anthropic": "context_too_long",
    "refuse": "model_unavailable",
    "html": "model_truncated",
    "status=429,quota": "model_rejected",
    "empty": "empty_reply",
    "blank": "empty_reply",
    "reasoning": "empty_reply",
    "no_finish,chunks=0": "model_truncated",
    "no_choices": "model_truncated",
    "chunks=0,finish=content_filter": "content_filtered",
    "finish=tool_calls": "model_rejected",
    "cut_after=0": "model_truncated",
    "reset_after=0": "model_truncated",
    "bad_json_after=0": "model_truncated",
    "error_after=0": "model_unavailable",
}
#: Faults after the first text, each with the error code and the text that stays.
AFTER_TEXT = {
    "chunks=5,cut_after=3": ("model_truncated", "word0 word1 word2 "),
    "chunks=5,reset_after=3": ("model_truncated", "word0 word1 word2 "),
    "chunks=5,bad_json_after=3": ("model_truncated", "word0 word1 word2 "),
    "chunks=5,error_after=3": ("model_unavailable", "word0 word1 word2 "),
    "chunks=2,finish=content_filter": ("content_filtered", "word0 word1 "),
    "chunks=3,no_finish": ("model_truncated", "word0 word1 word2 "),
}


@on_sqlite_only
@pytest.mark.parametrize("script", BEFORE_TEXT)
def test_before_any_text_it_runs_again_where_that_may_help_and_then_fails(
    script: str, chat: ChatSession, user: User, desk: Desk, fake_model: FakeModel, channel: Channel
) -> None:
    code = BEFORE_TEXT[script]
    posted = ask(chat, desk, script)
    row = the_message(posted.reply.id)
    if catalogue()[code].retryable:
        assert (row.status, row.failures, row.error_code) == ("pending", 1, None)
        assert money_of(user.id) == (297, 3)
        assert "message.failed" not in channel.names()
        row = run_again(posted, desk)
        assert len(fake_model.requests) == 2
    else:
        assert len(fake_model.requests) == 1
    assert (row.status, row.message_type, row.error_code) == ("failed", "ai_error", code)
    assert (row.content, row.first_text_at, row.lease_until) == ("", None, None)
    assert money_of(user.id) == (300, 0)
    (failed,) = channel.named("message.failed")
    kind = catalogue()[code]
    assert failed.data["error"] == {"code": code, "detail": kind.detail, "retryable": kind.retryable}
    assert failed.data["credits"] == {"held": 0, "charged": 0, "released": 3}
    assert "Scripted" not in str(failed.data)


@pytest.mark.parametrize("script", ["status=500", "status=429", "cut_after=0"])
def test_a_second_run_that_works_completes_it(
    script: str, chat: ChatSession, user: User, desk: Desk, channel: Channel
) -> None:
    posted = ask(chat, desk, f"{script},times=1,chunks=2")
    row = run_again(posted, desk)
    assert (row.status, row.content, row.attempt, row.failures) == ("completed", "word0 word1 ", 2, 1)
    assert money_of(user.id) == (297, 0)
    assert [event.data["attempt"] for event in channel.named("message.started")] == [1, 2]
    assert {event.data["attempt"] for event in channel.named("message.delta")} <= {2}


@pytest.mark.parametrize("script", AFTER_TEXT)
def test_once_there_was_text_it_fails_at_once_and_keeps_it(
    script: str, chat: ChatSession, user: User, desk: Desk, fake_model: FakeModel, channel: Channel
) -> None:
    code, text = AFTER_TEXT[script]
    row = the_message(ask(chat, desk, script).reply.id)
    assert (row.status, row.error_code, row.content, row.failures) == ("failed", code, text, 1)
    assert row.first_text_at
    assert money_of(user.id) == (300, 0)
    assert len(fake_model.requests) == 1
    (failed,) = channel.named("message.failed")
    assert failed.data["content"] == text


@on_sqlite_only
def test_after_a_failed_reply_the_next_message_waits_until_its_owner_goes_on(chat: ChatSession, desk: Desk) -> None:
    failing = a_post(chat, "Please fake:status=401")
    behind = a_post(chat, "Hello")
    write_reply(failing.reply.id, desk)
    write_reply(behind.reply.id, desk)
    assert the_message(behind.reply.id).status == "pending"
    resume_queue(chat.owner_id, chat.id)
    write_reply(behind.reply.id, desk)
    assert the_message(behind.reply.id).status == "completed"


@on_sqlite_only
@pytest.mark.parametrize(
    ("direction", "code"), [("Hello", None), ("/fail", "model_rejected"), ("/stop", "model_truncated")]
)
def test_the_offline_model_fails_as_the_message_says(
    direction: str, code: str | None, chat: ChatSession, desk: Desk
) -> None:
    posted = a_post(chat, f"Please {direction}")
    write_reply(posted.reply.id, replace(desk, provider=ScriptedProvider(words_per_second=10_000)))
    row = the_message(posted.reply.id)
    assert (row.status, row.error_code) == ("failed" if code else "completed", code)
    assert bool(row.content) == (direction != "/fail")


@on_sqlite_only
def test_a_bug_of_ours_fails_the_reply_and_is_logged(
    core: Flask, chat: ChatSession, user: User, desk: Desk, monkeypatch: pytest.MonkeyPatch, caplog: Any
) -> None:
    monkeypatch.setattr("workers.reply.build_context", lambda claim: 1 / 0)
    before = the_user(user.id)
    row = the_message(ask(chat, desk, "chunks=1").reply.id)
    assert (row.status, row.error_code) == ("failed", "reply_failed")
    assert money_of(user.id) == (before.credits, 0)
    assert "ZeroDivisionError" in caplog.text


@on_sqlite_only
@pytest.mark.parametrize(
    ("script", "level"),
    [("status=401", "ERROR"), ("status=429,quota", "ERROR"), ("status=404", "ERROR"), ("status=500", "WARNING")],
)
def test_what_only_the_operator_can_mend_is_one_line_of_the_log(
    script: str, level: str, chat: ChatSession, desk: Desk, caplog: pytest.LogCaptureFixture
) -> None:
    ask(chat, desk, script)
    (record,) = [record for record in caplog.records if record.name == "workers.providers.openai_client"]
    assert record.levelname == level
    assert record.getMessage().startswith("model.needs_operator: status=" if level == "ERROR" else "model.refused: ")
