"""A model's text is stored clean and whole, even if its pieces are odd."""

from typing import Any

import pytest

from shared.models import ChatSession
from tests.channel import Channel
from tests.factories import a_post, on_sqlite_only, the_message
from workers.reply import Desk, write_reply


@pytest.fixture
def said(chat: ChatSession, desk: Desk, channel: Channel) -> Any:
    """`said(script)` is the row of the reply. The deltas must make up the same text."""

    def said(script: str) -> Any:
        posted = a_post(chat, f"Please fake:{script}")
        write_reply(posted.reply.id, desk)
        row = the_message(posted.reply.id)
        deltas = "".join(event.data["text"] for event in channel.named("message.delta"))
        assert row.content.startswith(deltas)
        assert len(channel.named("message.delta")) in (row.live_index, row.live_index - 1)
        return row

    return said


def test_nul_is_left_out(said: Any) -> None:
    row = said("nul")
    assert (row.status, row.content) == ("completed", "beforeafter")


def test_lone_surrogates_are_left_out_and_pairs_in_two_pieces_joined(said: Any) -> None:
    row = said("surrogate")
    assert (row.status, row.content) == ("completed", "lone  pair 😀 end")


def test_characters_whose_bytes_come_in_two_parts_are_whole(said: Any) -> None:
    row = said("split_utf8")
    assert (row.status, row.content) == ("completed", "Grüße 😀 naïve café")


@on_sqlite_only
def test_an_answer_cut_by_the_models_own_limit_is_completed_and_flagged(said: Any) -> None:
    row = said("chunks=3,finish=length")
    assert (row.status, row.finish_reason, row.content) == ("completed", "length", "word0 word1 word2 ")
    assert row.credits_charged == 3


def test_many_small_pieces_are_stored_in_order(said: Any) -> None:
    row = said("chunks=1000,every=0")
    assert row.content == "".join(f"word{n} " for n in range(1000))
    assert row.tokens_out == 1000
