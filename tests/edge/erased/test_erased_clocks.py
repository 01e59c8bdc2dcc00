"""Erased is erased though clocks are wrong: the database's clock decides alone what to scrub."""

import time
from collections.abc import Iterator
from datetime import datetime

import pytest
from flask import Flask

from shared.actions.chats.delete import delete_chat
from shared.actions.upkeep import scrub
from shared.actions.upkeep.scrub import Scrub, scrubs
from shared.core import current_link
from shared.redis.live_text import Piece, append, read
from tests.edge.clocks.set_clocks import Clocks, clocks
from tests.eventually import eventually
from tests.factories import a_chat, a_claim, a_post

A_DAY, HOUR = 86_400.0, 3600.0
# Seconds between a deletion and the next look at deletions, at least.
LATER = 40.0


@pytest.fixture
def wrong(core: Flask) -> Iterator[Clocks]:
    with clocks(core) as clocks_of_test:
        yield clocks_of_test


@pytest.mark.parametrize("machine", [-A_DAY, A_DAY])
def test_a_machine_whose_clock_is_wrong_leaves_no_live_text(wrong: Clocks, machine: float) -> None:
    link, chat = current_link(), a_chat()
    claim = a_claim(a_post(chat))
    append(link, [Piece(claim.id, claim.attempt, "Live", b'["nobody","resync",{}]')])
    link.trip_failed(ConnectionError("Redis is away"))
    wrong.set_machine(machine)
    delete_chat(chat.owner_id, chat.id)
    link._broken_until = 0.0
    assert read(link, [(claim.id, claim.attempt)]) != [None]
    eventually(scrubs()["redis"].step)
    assert read(link, [(claim.id, claim.attempt)]) == [None]


def test_a_deletion_right_after_the_databases_clock_was_set_back_is_noticed(
    wrong: Clocks, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun: list[datetime] = []
    place = Scrub(lambda since: not begun.append(since), lambda: True)
    chat, right = a_chat(), time.monotonic
    assert place.step()
    wrong.set_database(-HOUR)
    delete_chat(chat.owner_id, chat.id)
    wrong.set_database(-HOUR + LATER)
    monkeypatch.setattr(scrub.time, "monotonic", lambda: right() + LATER)
    assert place.step()
    assert len(begun) == 2
    assert place.step()
    assert len(begun) == 2, "nothing was deleted since"
