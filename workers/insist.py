"""Try a step of a reply again while the database is away."""

import time
from collections.abc import Callable
from typing import TypeVar

from shared.core import current_settings
from shared.database.retries import DATABASE_AWAY
from workers.run import Run

T = TypeVar("T")

# Seconds before another try.
_RETRY = 0.25


def insist(step: Callable[[], T], run: Run | None = None) -> T:
    """Repeat the step for a whole lease, but not once its run was cut short (D-07).

    The attempt guards the step, so a try that comes too late changes nothing. Raises the step's errors, and the reason
    for which the run was cut.
    """
    deadline = time.monotonic() + current_settings().lease_seconds
    while True:
        try:
            return step()
        except DATABASE_AWAY:
            if time.monotonic() > deadline:
                raise
        time.sleep(_RETRY)
        if run:
            run.check()
