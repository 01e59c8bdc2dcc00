"""Each way in which a model fails has its code. The tests pin the retry, the text kept, and the credits given back."""

import socket
import socketserver
import threading
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from flask import Flask

from shared.actions.messages.post import Posted
from shared.actions.queue.parking import resume_queue
from shared.actions.replies.rescue import give_turns
from shared.errors.catalogue import catalogue
from shared.models import ChatSession, User
from shared.settings import Settings
from tests import fake_answers
from tests.channel import Channel
from tests.factories import a_post, change, clock, money_of, on_sqlite_only, past, the_message, the_user
from tests.fake_model import FakeModel
from workers.providers.openai_client import OpenAIProvider
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
    "blank": ("empty_reply", " \n  "),
}


def ask(chat: ChatSession, desk: Desk, script: str) -> Posted:
    posted = a_post(chat, f"Please fake:{script}")
    write_reply(posted.reply.id, desk)
    return posted


def run_again(posted: Posted, desk: Desk) -> Any:
    """Run the reply again after the pause, as the sweeper does."""
    change(posted.reply.id, not_before=past(0.1))
    give_turns()
    write_reply(posted.reply.id, desk)
    return the_message(posted.reply.id)


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
@pytest.mark.parametrize("status", [429, 503])
def test_a_short_pause_that_the_model_asks_for_waits_in_the_row(status: int, chat: ChatSession, desk: Desk) -> None:
    posted = ask(chat, desk, f"status={status},retry_after=50")
    row = the_message(posted.reply.id)
    assert (row.status, row.dispatched_at) == ("pending", None)
    assert 40_000 < row.not_before - clock() <= 50_000


@on_sqlite_only
def test_without_one_the_pause_is_our_own(chat: ChatSession, desk: Desk) -> None:
    row = the_message(ask(chat, desk, "status=500").reply.id)
    assert 0 < row.not_before - clock() <= 2_000


@on_sqlite_only
@pytest.mark.parametrize("asked", ["Wed, 21 Oct 2037 07:28:00 GMT", "soon", "-5", "nan", "inf"])
def test_a_pause_that_is_no_number_of_seconds_breaks_nothing(
    asked: str, chat: ChatSession, desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    answer_error = fake_answers.answer_error

    async def with_pause(*args: Any, **_: str) -> None:
        await answer_error(*args, **{"retry-after": asked})

    monkeypatch.setattr(fake_answers, "answer_error", with_pause)
    row = the_message(ask(chat, desk, "status=429").reply.id)
    assert row.error_code in (None, "rate_limited")
    assert row.status == ("failed" if row.error_code else "pending")


@pytest.mark.parametrize("status", [429, 503])
def test_a_long_pause_fails_at_once(
    status: int, chat: ChatSession, user: User, desk: Desk, fake_model: FakeModel
) -> None:
    row = the_message(ask(chat, desk, f"status={status},retry_after=90").reply.id)
    assert (row.status, row.error_code) == ("failed", {429: "rate_limited", 503: "model_unavailable"}[status])
    assert money_of(user.id) == (300, 0)
    assert len(fake_model.requests) == 1


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
@pytest.mark.parametrize("seconds", [30, 300])
def test_a_pause_may_be_told_as_a_date(seconds: int, chat: ChatSession, desk: Desk) -> None:
    row = the_message(ask(chat, desk, f"status=429,retry_date={seconds}").reply.id)
    if seconds > 60:
        assert (row.status, row.error_code) == ("failed", "rate_limited")
    else:
        assert seconds - 5 < (row.not_before - clock()) / 1000 <= seconds


@on_sqlite_only
@pytest.mark.settings(model_sends_finish_reason=False)
def test_a_server_that_never_says_why_it_stopped_may_end_with_done(chat: ChatSession, user: User, desk: Desk) -> None:
    row = the_message(ask(chat, desk, "chunks=3,no_finish").reply.id)
    assert (row.status, row.finish_reason, row.content) == ("completed", "stop", "word0 word1 word2 ")
    assert money_of(user.id) == (297, 0)


@on_sqlite_only
@pytest.mark.settings(model_sends_finish_reason=False)
@pytest.mark.parametrize(
    ("script", "then"),
    [
        ("chunks=5,cut_after=3", ("failed", "model_truncated", None)),
        ("html", ("pending", None, None)),
        ("empty,no_finish", ("pending", None, None)),
        ("chunks=2,finish=content_filter", ("failed", "content_filtered", None)),
        ("chunks=2,finish=length", ("completed", None, "length")),
    ],
)
def test_but_an_answer_that_breaks_off_is_none_there_either(
    script: str, then: tuple[str, str | None, str | None], chat: ChatSession, desk: Desk
) -> None:
    row = the_message(ask(chat, desk, script).reply.id)
    assert (row.status, row.error_code, row.finish_reason) == then


@on_sqlite_only
def test_an_answer_that_ends_by_its_length_is_kept_flagged_and_charged(
    chat: ChatSession, user: User, desk: Desk
) -> None:
    row = the_message(ask(chat, desk, "chunks=2,finish=length").reply.id)
    assert (row.status, row.finish_reason, row.content) == ("completed", "length", "word0 word1 ")
    assert money_of(user.id) == (297, 0)


class NoTls(socketserver.BaseRequestHandler):
    """Answers a client's TLS with plain HTTP."""

    def handle(self) -> None:
        self.request.recv(1024)
        self.request.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")


@pytest.fixture
def no_tls() -> Iterator[str]:
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), NoTls) as server:
        threading.Thread(target=server.serve_forever, args=[0.05]).start()
        yield f"https://127.0.0.1:{server.server_address[1]}/v1"
        server.shutdown()


@pytest.fixture
def nobody() -> str:
    with socket.create_server(("127.0.0.1", 0)) as closed_now:
        return f"http://127.0.0.1:{closed_now.getsockname()[1]}/v1"


@on_sqlite_only
@pytest.mark.parametrize("where", ["nobody", "no_tls"])
def test_a_server_that_refuses_the_connection_or_its_tls(
    where: str, request: pytest.FixtureRequest, chat: ChatSession, desk: Desk, settings: Settings
) -> None:
    provider = OpenAIProvider(replace(settings, openai_base_url=request.getfixturevalue(where)))
    posted = ask(chat, replace(desk, provider=provider), "chunks=1")
    assert the_message(posted.reply.id).failures == 1
    row = run_again(posted, replace(desk, provider=provider))
    assert (row.status, row.error_code) == ("failed", "model_unavailable")
    provider._client.close()


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
