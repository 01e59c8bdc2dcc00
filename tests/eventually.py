"""Waits until a condition is true, with a deadline. Tests wait in no other way.

Seconds here are those of the fair clock (tests/fair_clock.py). A second lasts longer while more threads want a core
than there are cores.
"""

import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

from tests.fair_clock import CLOCK, MOST, FairClock

T = TypeVar("T")

_POLL_SECONDS = 0.02


def eventually(condition: Callable[[], T], within: float = 10.0, clock: FairClock = CLOCK) -> T:
    """Call the condition until its answer is true, and return that. A failing assertion inside counts as "not yet"."""
    watch = Stopwatch(clock)
    while True:
        late = watch.seconds > within
        value, failed = _asked(condition)
        if value and not failed:
            return value
        if late:
            raise AssertionError(f"Not true within {within:g} s ({watch}); last: {failed or value!r}") from failed
        time.sleep(_POLL_SECONDS)


@contextmanager
def at_most(seconds: float, clock: FairClock = CLOCK) -> Iterator[None]:
    """Fail if the block takes longer than this."""
    watch = Stopwatch(clock)
    yield
    assert watch.seconds <= seconds, f"Not done within {seconds:g} s ({watch})"


def rest(seconds: float) -> None:
    """Give something that must not happen so much time to happen. No event can tell that it does not."""
    watch = Stopwatch()
    while watch.seconds < seconds:
        time.sleep(_POLL_SECONDS)


def patience(seconds: float) -> float:
    """The time-out of a call that blocks and can't read the fair clock: real seconds, enough on the busiest machine."""
    return seconds * MOST


def ended(process: subprocess.Popen[Any], within: float = 10.0) -> int:
    """Wait for the end of a process, and return its exit code."""
    eventually(lambda: process.poll() is not None, within)
    return int(process.returncode)


def joined(*threads: threading.Thread, within: float = 10.0) -> None:
    """Wait for the end of all these threads."""
    eventually(lambda: not any(thread.is_alive() for thread in threads), within)


class Stopwatch:
    """`seconds` of the fair clock since it was made. As a text, it tells the real seconds."""

    def __init__(self, clock: FairClock = CLOCK) -> None:
        self._clock, self._began, self._really = clock, clock.now(), clock.real()

    @property
    def seconds(self) -> float:
        return self._clock.now() - self._began

    def __str__(self) -> str:
        real, fair = self._clock.real() - self._really, self.seconds
        return f"{real:.1f} real ones: the machine was {real / max(fair, 0.001):.1f} times too busy"


def _asked(condition: Callable[[], T]) -> tuple[T | None, AssertionError | None]:
    try:
        return condition(), None
    except AssertionError as error:
        return None, error
