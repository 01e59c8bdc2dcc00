"""The sweeper: a small loop that finds what others left lying. Run as many as you like: `python -m workers.sweeper`."""

import logging
import random
import signal
import sys
import threading
import time
from collections.abc import Callable

from flask import Flask

from shared.actions.queue.hand_over_again import hand_over_again
from shared.actions.replies.rescue import expire_overdue, fail_hung, give_turns, rescue_lapsed
from shared.actions.upkeep.copy_revocations import copy_revocations
from shared.actions.upkeep.forget_keys import forget_keys
from shared.actions.upkeep.forget_sign_ins import forget_sign_ins
from shared.actions.upkeep.forget_tombstones import forget_tombstones
from shared.boot import boot
from shared.core import create_core, current_settings
from shared.database.retries import DATABASE_AWAY, is_away
from shared.settings import SLOWEST_SWEEP

log = logging.getLogger("sweeper")

# Seconds before it is looked again whether anything is too old, once nothing was.
_CLEANING = 60.0
# Milliseconds: whom somebody else holds has to wait for the next sweep, not all others for them.
_LOCK_TIMEOUT = 200


def sweep(rescuing: bool = True) -> bool:
    """One round; every step may be repeated or shared with other sweepers, and none waits for another's success.

    Whether the database was there for all of them.
    """
    steps = (rescue_lapsed, fail_hung, expire_overdue, give_turns, hand_over_again, copy_revocations)
    return None not in [_done(step) for step in steps[not rescuing :]]


def clean() -> bool:
    """Forget a batch of each kind that is too old; whether there was any, so that there may be more."""
    found = [_done(step) for step in (forget_keys, forget_tombstones, forget_sign_ins)]
    return any(found)


def _done(step: Callable[[], int]) -> int | None:
    """How much there was to do; None if the database was away."""
    try:
        return step()
    except DATABASE_AWAY as error:
        log.warning("sweeper.%s_failed: %s", step.__name__, type(error).__name__)
        return None if is_away(error) else 0
    except Exception:  # a sweeper that ended here would end at it again and again, and do nothing of the rest
        log.exception("sweeper.%s_failed", step.__name__)
        return 0


def run(core: Flask, every: float, stopping: threading.Event) -> None:
    """Sweep until told to stop. Where the database was away, no worker could renew its leases: those have time to."""
    patient_until = clean_from = 0.0
    # jittered, so that many don't sweep in step
    while not stopping.wait(every * random.uniform(2 - SLOWEST_SWEEP, SLOWEST_SWEEP)):
        with core.app_context():
            if not sweep(rescuing=time.monotonic() > patient_until):
                patient_until = time.monotonic() + current_settings().lease_seconds / 3
            if time.monotonic() > clean_from and not clean():
                clean_from = time.monotonic() + _CLEANING


def main() -> int:
    """Run until SIGTERM or SIGINT."""
    settings = boot("sweeper")
    core = create_core(settings, lock_timeout=_LOCK_TIMEOUT)
    stopping = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopping.set())
    run(core, settings.sweep_seconds, stopping)
    return 0


if __name__ == "__main__":
    sys.exit(main())
