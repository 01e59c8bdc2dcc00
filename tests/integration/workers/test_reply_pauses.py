"""A model asks for a pause. A short one waits in the row of the reply, and a long one fails the reply at once."""

from typing import Any

import pytest

from shared.models import ChatSession, User
from tests import fake_answers
from tests.factories import clock, money_of, on_sqlite_only, the_message
from tests.fake_model import FakeModel
from tests.integration.workers.asking import ask
from workers.reply import Desk


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
@pytest.mark.parametrize("seconds", [30, 300])
def test_a_pause_may_be_told_as_a_date(seconds: int, chat: ChatSession, desk: Desk) -> None:
    row = the_message(ask(chat, desk, f"status=429,retry_date={seconds}").reply.id)
    if seconds > 60:
        assert (row.status, row.error_code) == ("failed", "rate_limited")
    else:
        assert seconds - 5 < (row.not_before - clock()) / 1000 <= seconds
