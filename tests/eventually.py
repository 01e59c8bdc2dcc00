"""Waiting for something to become true, with a deadline: the one way in which tests wait."""

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")

_POLL_SECONDS = 0.02


def eventually(condition: Callable[[], T], within: float = 10.0) -> T:
    """Call until the answer is true, and return it. A failing assertion inside counts as "not yet"."""
    deadline = time.monotonic() + within
    while True:
        value, failed = _asked(condition)
        if value and not failed:
            return value
        if time.monotonic() > deadline:
            raise AssertionError(f"Not true within {within:g} s; last: {failed or value!r}") from failed
        time.sleep(_POLL_SECONDS)


def _asked(condition: Callable[[], T]) -> tuple[T | None, AssertionError | None]:
    try:
        return condition(), None
    except AssertionError as error:
        return None, error
