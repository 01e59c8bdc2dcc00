"""Waiting for a condition ends at its deadline, also on a busy machine."""

import itertools
import subprocess
import sys
import threading

import pytest

from tests.eventually import at_most, ended, eventually, joined, patience
from tests.fair_clock import MOST, FairClock


class Busy:
    """A machine with one core, which many threads want. Time passes with each look at the clock."""

    def __init__(self, wanting: float) -> None:
        self.looks = itertools.count(step=0.05)
        self.clock = FairClock(lambda: next(self.looks), lambda: wanting, cores=1)

    def gives_up_after(self, within: float) -> float:
        """The real seconds until the wait for a condition that is never true ends."""
        began = self.clock.real()
        with pytest.raises(AssertionError, match="times too busy"):
            eventually(list, within, self.clock)
        return self.clock.real() - began


def test_it_gives_the_first_answer_that_is_true() -> None:
    answers = itertools.count()
    assert eventually(lambda: next(answers)) == 1


def test_a_failing_assertion_is_not_yet() -> None:
    numbers = itertools.count()

    def third() -> bool:
        assert next(numbers) == 2
        return True

    assert eventually(third)


def test_past_the_deadline_it_tells_the_last_answer_and_how_busy_it_was() -> None:
    with pytest.raises(AssertionError, match=r"Not true within 0.1 s \(.* real ones: the machine was .*\); last: \[\]"):
        eventually(list, within=0.1)


@pytest.mark.parametrize(("wanting", "seconds"), [(1, 1), (3, 3), (100, MOST)])
def test_the_deadline_grows_with_what_the_machine_has_to_do(wanting: float, seconds: float) -> None:
    assert Busy(wanting).gives_up_after(1) == pytest.approx(seconds, abs=0.5)


def test_it_looks_once_more_after_the_deadline() -> None:
    busy, slow = Busy(1), itertools.count()

    def true_after_a_long_look() -> bool:
        for _ in range(100):
            busy.clock.now()
        return next(slow) == 1

    assert eventually(true_after_a_long_look, 1, busy.clock)


def test_any_other_exception_stops_the_waiting() -> None:
    with pytest.raises(ZeroDivisionError):
        eventually(lambda: 1 / 0)


def test_a_promise_about_time_is_kept_or_broken() -> None:
    with at_most(5):
        pass
    busy = Busy(2)
    with at_most(1, busy.clock):
        busy.clock.now()
    with pytest.raises(AssertionError, match=r"Not done within 0\.01 s"), at_most(0.01, busy.clock):
        busy.clock.now()


def test_what_blocks_gets_all_the_time_that_waiting_could_take() -> None:
    assert patience(5) == 5 * MOST


def test_processes_and_threads_are_waited_for() -> None:
    with subprocess.Popen([sys.executable, "-c", "raise SystemExit(3)"]) as process:
        assert ended(process) == 3
    over = threading.Event()
    thread = threading.Thread(target=over.wait)
    thread.start()
    with pytest.raises(AssertionError):
        joined(thread, within=0.05)
    over.set()
    joined(thread)
