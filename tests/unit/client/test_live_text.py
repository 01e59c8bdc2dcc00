"""In the open conversation, deltas, rows and answers in any order make the text of a reply."""

import random
from typing import Any

import pytest
from playwright.sync_api import Page

from tests.unit.client.story import TEXT, after, delta, message, shown, up_to


def test_deltas_follow_each_other_and_a_repeated_one_is_ignored(page: Page) -> None:
    state = after(page, ("message.started", message()), delta(0), delta(1), delta(1), delta(0), delta(2))
    assert shown(state) == "".join(TEXT[:3])
    assert state["wanted"] == []


def test_a_gap_is_asked_for_and_what_came_after_it_is_kept(page: Page) -> None:
    known = [("message.started", message()), delta(0), delta(3), delta(4)]
    gap = after(page, *known)
    assert (shown(gap), gap["wanted"]) == (TEXT[0], ["m"])
    filled = after(page, *known, ("message.updated", up_to(3)), delta(5))
    assert (shown(filled), filled["wanted"], filled["ahead"]) == ("".join(TEXT[:6]), [], {})


def test_a_higher_attempt_clears_the_text_and_an_older_one_is_dropped(page: Page) -> None:
    state = after(page, ("message.started", message()), delta(0), delta(1), delta(0, attempt=2), delta(2))
    assert shown(state) == TEXT[0]
    later = after(page, ("message.started", message()), delta(0), ("message.started", message(attempt=2, seq=11)))
    assert shown(later) == ""


def test_text_that_waits_for_its_message_is_that_of_the_latest_attempt(page: Page) -> None:
    unknown = [delta(0), delta(0, attempt=2), delta(1), delta(1, attempt=2)]
    assert after(page, *unknown)["wanted"] == ["m"]
    assert shown(after(page, *unknown, ("message.updated", up_to(2)))) == "".join(TEXT[:2])
    behind_a_gap = [("message.started", message()), delta(3), ("message.started", message(attempt=2, seq=11))]
    state = after(page, *behind_a_gap)
    assert (shown(state), state["messages"][0]["attempt"], state["ahead"], state["wanted"]) == ("", 2, {}, [])


def test_an_answer_that_is_late_takes_no_text_away_and_reopens_nothing(page: Page) -> None:
    running = after(page, ("message.started", message()), delta(0), delta(1), ("message.updated", up_to(1)))
    assert shown(running) == "".join(TEXT[:2])
    back = ("message.updated", message(status="pending", seq=11))
    waiting = after(page, ("message.started", message()), back, ("message.started", message()))
    assert waiting["messages"][0]["status"] == "pending"
    done = ("message.completed", message(status="completed", content="all", seq=12))
    finished = after(page, done, ("message.updated", up_to(1)), delta(5))
    assert (shown(finished), finished["messages"][0]["status"]) == ("all", "completed")


def test_an_end_without_its_text_is_asked_for_only_if_some_is_missing(page: Page) -> None:
    end = message(status="completed", seq=12, nextIndex=2, contentOmitted=True)
    del end["content"]
    started = ("message.started", message())
    whole = after(page, started, delta(0), delta(1), ("message.completed", end))
    assert (shown(whole), whole["wanted"]) == ("".join(TEXT[:2]), [])
    lacking = after(page, started, delta(0), ("message.completed", end))
    assert lacking["wanted"] == ["m"]
    read = ("message.updated", message(status="completed", seq=12, content="all"))
    filled = after(page, started, delta(0), ("message.completed", end), read, ("message.completed", end))
    assert (shown(filled), filled["wanted"]) == ("all", [])


def test_text_of_a_reply_that_waits_again_is_no_longer_taken(page: Page) -> None:
    back = ("message.updated", message(status="pending", seq=11, content=TEXT[0]))
    state = after(page, ("message.started", message()), delta(0), back, delta(1), delta(2))
    assert (shown(state), state["wanted"]) == (TEXT[0], [])
    again = after(page, ("message.started", message()), delta(0), back, delta(0, attempt=2), delta(1))
    assert (shown(again), again["messages"][0]["attempt"], again["wanted"]) == (TEXT[0], 2, [])


@pytest.mark.parametrize("seed", range(30))
def test_any_order_of_deltas_and_answers_ends_with_the_same_text(page: Page, seed: int) -> None:
    chance = random.Random(seed)
    events: list[tuple[str, Any]] = [delta(chance.randrange(12)) for _ in range(30)]
    events += [("message.updated", up_to(chance.randrange(12))) for _ in range(4)]
    events += [("message.updated", message(status="pending", attempt=0, seq=9))]
    chance.shuffle(events)
    assert shown(after(page, *events, ("message.updated", up_to(11)), delta(11))) == "".join(TEXT)
