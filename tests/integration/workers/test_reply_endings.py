"""Servers of models end an answer in different ways: a finish reason, its length, or only `[DONE]`."""

import pytest

from shared.models import ChatSession, User
from tests.factories import money_of, on_sqlite_only, the_message
from tests.integration.workers.asking import ask
from workers.reply import Desk


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
