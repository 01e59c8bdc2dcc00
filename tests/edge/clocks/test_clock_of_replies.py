"""The database's clock is set back or forward: no reply lies there for long, and no living worker loses one."""

from collections.abc import Iterator
from typing import Any

import pytest
from flask import Flask

from shared.actions.queue.dispatch import PATIENCE
from shared.actions.replies.correct_times import correct_times
from shared.actions.replies.leases import renew_leases
from shared.actions.replies.release import give_back
from shared.actions.replies.states import LONGEST_PAUSE
from shared.settings import Settings
from tests.edge.clocks.set_clocks import Clocks, clocks
from tests.eventually import eventually
from tests.factories import a_chat, a_claim, a_post, a_user, change, clock, nothing_changes, past, the_message
from workers.sweeper import ClockWatch, run, sweep

TEN_MINUTES = 600.0


@pytest.fixture
def wrong(core: Flask) -> Iterator[Clocks]:
    with clocks(core) as clocks_of_test:
        yield clocks_of_test


def milliseconds_ahead(reply_id: str, column: str) -> int:
    return int(getattr(the_message(reply_id), column)) - clock()


@pytest.mark.settings(lease_seconds=1.0)
def test_a_dead_workers_reply_is_rescued_after_a_lease_though_the_clock_was_set_back(wrong: Clocks) -> None:
    claim = a_claim()
    wrong.set_database(-TEN_MINUTES)
    eventually(lambda: sweep() and the_message(claim.id).status == "pending")
    assert the_message(claim.id).failures == 1


def test_a_living_workers_reply_goes_on_though_the_clock_was_set_back(wrong: Clocks, settings: Settings) -> None:
    claim = a_claim()
    wrong.set_database(-TEN_MINUTES)
    sweep()
    assert milliseconds_ahead(claim.id, "lease_until") <= settings.lease_seconds * 1000
    assert milliseconds_ahead(claim.id, "deadline_at") <= settings.reply_timeout * 1000
    assert renew_leases([(claim, "So far", 1)]) == {(claim.id, claim.attempt)}
    sweep()
    row = the_message(claim.id)
    assert (row.status, row.failures, row.attempt) == ("running", 0, 1)


def test_a_pause_is_over_though_the_clock_was_set_back(wrong: Clocks) -> None:
    claim = a_claim()
    give_back(claim, LONGEST_PAUSE)
    wrong.set_database(-TEN_MINUTES)
    sweep()
    row = the_message(claim.id)
    assert row.dispatched_at, "it has its turn again"
    assert a_claim(type("Posted", (), {"reply": row})()).attempt == 2  # type: ignore[arg-type]


def test_a_lost_job_is_handed_over_again_though_the_clock_was_set_back(wrong: Clocks) -> None:
    sweep()  # from now on Redis is known to have its queue
    posted = a_post()
    wrong.set_database(-TEN_MINUTES)
    sweep()
    assert milliseconds_ahead(posted.reply.id, "dispatched_at") <= 0
    assert milliseconds_ahead(posted.reply.id, "hand_over_at") <= 0
    change(posted.reply.id, dispatched_at=past(PATIENCE / 1000 + 1))
    sweep()
    assert the_message(posted.reply.id).handovers == 1


@pytest.mark.parametrize(("column", "limit"), [("dispatched_at", "queue_timeout"), ("", "turn_timeout")])
def test_a_reply_waits_no_longer_though_the_clock_was_set_back(
    column: str, limit: str, wrong: Clocks, settings: Settings
) -> None:
    chat = a_chat(a_user())
    first, second = a_post(chat), a_post(chat)
    posted = first if column else second
    wrong.set_database(-TEN_MINUTES)
    sweep()
    most = getattr(settings, limit) * 1000
    assert most - 60_000 < milliseconds_ahead(posted.reply.id, "deadline_at") <= most


def test_times_that_are_possible_stay(core: Flask) -> None:
    a_claim()
    give_back(a_claim(), LONGEST_PAUSE)
    waiting = a_post(a_chat(a_user()))
    change(waiting.reply.id, handovers=5, hand_over_at=past(-PATIENCE / 1000 * 30))
    with nothing_changes():
        assert correct_times() == 0


class Script:
    """Stands for the sweeper's wait between two sweeps, and does a step of a test in each."""

    def __init__(self, *steps: Any) -> None:
        self._steps = list(steps)

    def wait(self, _seconds: float) -> bool:
        if not self._steps:
            return True
        self._steps.pop(0)()
        return False


@pytest.mark.settings(reply_timeout=3600.0)
def test_a_clock_that_is_set_forward_takes_no_reply_from_a_living_worker(core: Flask, wrong: Clocks) -> None:
    claim = a_claim()
    renewed: list[set[tuple[str, int]]] = []
    steps = [
        lambda: None,
        lambda: wrong.set_database(TEN_MINUTES),
        lambda: renewed.append(renew_leases([(claim, "So far", 1)])),
    ]
    run(core, 0.0, Script(*steps))  # type: ignore[arg-type]
    assert renewed == [{(claim.id, claim.attempt)}]
    assert the_message(claim.id).failures == 0


def test_the_sweeper_tells_that_a_clock_was_set(wrong: Clocks, caplog: pytest.LogCaptureFixture) -> None:
    watch = ClockWatch()
    assert [watch.went_forward(), watch.went_forward()] == [False, False]
    assert caplog.text == ""
    wrong.set_database(-TEN_MINUTES)
    assert not watch.went_forward()
    wrong.set_database(0)
    assert watch.went_forward()
    for step in ("-600", "+600"):
        assert caplog.text.count(f"sweeper.clock_set: the database's clock went by {step} s") == 1
