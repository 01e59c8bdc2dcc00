"""Named points in the life of a message at which a test makes the program die, fail or wait.

A point does nothing unless HOLDFAST_FAILPOINTS arms it, as in `after_chunk:3=sleep:2;before_ack=raise`. The actions
are exit, raise, sleep:SECONDS and hold:FILE, which waits for the lock of that file. `shared/settings/` refuses that
setting outside of a test run.
"""

import fcntl
import logging
import os
import signal
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

log = logging.getLogger(__name__)

#: Every point, in the order in which a message reaches them.
POINTS = (
    "after_commit",  # of the post, before any event or hand-over
    "after_hand_over",  # the job is on the queue, the client has no answer yet
    "after_claim",
    "after_chunk",  # of the model's text; the only point with a number, counted from 1 in each attempt
    "before_final_commit",  # inside the transaction
    "after_final_commit",  # before the final event
    "before_ack",  # of the job
)
_NUMBERED = "after_chunk"


class FailpointReached(Exception):
    """An armed point raises this."""


def reach(point: str, number: int = 0) -> None:
    """Run the action of this point if it is armed. `number` tells the visits of one attempt apart."""
    if _armed and (act := _armed.get((point, number))):
        log.warning("failpoint.reached: %s", point)
        act()


def arm(text: str) -> None:
    """Arm these points, and disarm all others. Raises ValueError, as actions() does."""
    global _armed  # noqa: PLW0603 otherwise every function on the way would need a parameter for it
    _armed = actions(text)


def actions(text: str) -> dict[tuple[str, int], Callable[[], None]]:
    """The action of each (point, number). Raises a ValueError that names the part it does not understand."""
    return dict(_action(entry) for entry in text.split(";") if entry)


def _action(entry: str) -> tuple[tuple[str, int], Callable[[], None]]:
    place, _, what = entry.partition("=")
    point, colon, number = place.partition(":")
    if point not in POINTS or bool(colon) != (point == _NUMBERED):
        raise ValueError(f"{place!r} is not one of {', '.join(POINTS)} ({_NUMBERED} takes a number: {_NUMBERED}:1)")
    return (point, int(number or 0)), _act(what, point)


def _act(what: str, point: str) -> Callable[[], None]:
    match what.partition(":"):
        case "exit", "", "":
            return _die
        case "raise", "", "":
            return partial(_fail, point)
        case "sleep", _, seconds if seconds:
            return partial(time.sleep, float(seconds))
        case "hold", _, file if file:
            return partial(_hold, Path(file))
    raise ValueError(f"{what!r} is not one of exit, raise, sleep:SECONDS, hold:FILE")


def _die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def _fail(point: str) -> None:
    raise FailpointReached(point)


def _hold(file: Path) -> None:
    """Wait until nobody else has the lock of this file. Any number of threads may wait, and go on together."""
    with file.open("a") as held:
        fcntl.flock(held, fcntl.LOCK_SH)


_armed = actions("")
