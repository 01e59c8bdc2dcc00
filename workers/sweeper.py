"""The sweeper: a loop that hands over waiting replies and rescues stuck ones. `python -m workers.sweeper` runs it.

Any number of sweepers may run.
"""

import logging
import random
import signal
import sys
import threading
import time
from collections.abc import Callable

from flask import Flask
from sqlalchemy.exc import SQLAlchemyError

from shared.actions.queue.hand_over_again import hand_over_again
from shared.actions.replies.correct_times import correct_times
from shared.actions.replies.rescue import expire_overdue, fail_hung, give_turns, rescue_lapsed
from shared.actions.upkeep.copy_revocations import copy_revocations
from shared.actions.upkeep.finish_erasures import finish_erasures
from shared.actions.upkeep.forget_keys import forget_keys
from shared.actions.upkeep.forget_sign_ins import forget_sign_ins
from shared.actions.upkeep.forget_tombstones import forget_tombstones
from shared.actions.upkeep.forget_workers import forget_workers
from shared.actions.upkeep.scrub import Scrub, scrubs
from shared.boot import boot
from shared.core import create_core, current_settings
from shared.database.clock import read_db_moment
from shared.database.retries import DATABASE_AWAY, is_away
from shared.settings import SLOWEST_SWEEP

log = logging.getLogger("sweeper")

# Seconds before the next clean-up, once there was nothing left to clean.
_CLEANING = 60.0
# Seconds before the sweeper looks again whether something was deleted, once everything deleted is off the disk.
_SCRUBBING = 30.0
# Seconds. A larger step between two sweeps is no drift: somebody has set the database's clock, or froze this program.
_JUMP = 5.0
# Milliseconds that the sweeper waits for a locked user row (D-65). Then it skips that user until the next sweep, so
# that the other users need not wait.
_LOCK_TIMEOUT = 200


def sweep(rescuing: bool = True) -> bool:
    """Run each step once. Returns whether the database was there for all of them.

    Other sweepers may run the same steps at the same time. A step runs even if the one before it failed.
    """
    steps = (correct_times, rescue_lapsed, fail_hung, expire_overdue, give_turns, hand_over_again, copy_revocations)
    return None not in [_done(step) for step in steps if rescuing or step is not rescue_lapsed]


def clean() -> bool:
    """Delete a batch of each kind of old rows. Returns whether there were any, because then there may be more."""
    found = [_done(step) for step in (forget_keys, forget_tombstones, forget_sign_ins, forget_workers)]
    return any(found)


def scrub(places: dict[str, Scrub]) -> bool:
    """Take erased text off the disk. Returns whether the sweeper may rest. Otherwise the next sweep goes on."""
    may_rest = [_scrubbed(place, one) for place, one in places.items()]
    return all(may_rest)


def _scrubbed(place: str, one: Scrub) -> bool:
    try:
        return one.step()
    except DATABASE_AWAY as error:
        log.warning("sweeper.not_scrubbed: %s; %s keeps erased text until a later try", type(error).__name__, place)
    except Exception:
        log.exception("sweeper.not_scrubbed: %s keeps erased text until a later try", place)
    return True  # a full disk, say, is not better with the next sweep


def _done(step: Callable[[], int]) -> int | None:
    """Run a step. Returns how many rows it had to deal with; None if the database was away."""
    try:
        return step()
    except DATABASE_AWAY as error:
        log.warning("sweeper.%s_failed: %s; the next sweep tries again", step.__name__, type(error).__name__)
        return None if is_away(error) else 0
    except Exception:  # if the sweeper ended here, each new start would end here too (D-12)
        log.exception("sweeper.%s_failed: the other steps go on", step.__name__)
        return 0


def run(core: Flask, every: float, stopping: threading.Event) -> None:
    """Sweep until told to stop.

    After an outage of the database the sweeper does not rescue for a third of a lease (D-11). During the outage no
    worker could renew its leases, and now the workers get time for that. They get it too after the database's clock
    was set forward, because then all leases seem to have lapsed (D-119).
    """
    patient_until = clean_from = scrub_from = 0.0
    places = scrubs()
    clock = ClockWatch()
    # a random pause, so that several sweepers do not sweep at the same moments
    while not stopping.wait(every * random.uniform(2 - SLOWEST_SWEEP, SLOWEST_SWEEP)):
        with core.app_context():
            if clock.went_forward():
                patient_until = time.monotonic() + current_settings().lease_seconds / 3
            if not sweep(rescuing=time.monotonic() > patient_until):
                patient_until = time.monotonic() + current_settings().lease_seconds / 3
            if time.monotonic() > clean_from and not clean():
                clean_from = time.monotonic() + _CLEANING
            if time.monotonic() > scrub_from and scrub(places):
                scrub_from = time.monotonic() + _SCRUBBING


class ClockWatch:
    """Compares the database's clock with the monotonic one from sweep to sweep."""

    def __init__(self) -> None:
        self._offset: float | None = None

    def went_forward(self) -> bool:
        """Whether somebody has set the database's clock forward since the last call."""
        try:
            offset = read_db_moment().timestamp() - time.monotonic()
        except SQLAlchemyError:
            return False  # the sweep will notice, and tell
        jump = 0.0 if self._offset is None else offset - self._offset
        self._offset = offset
        if abs(jump) > _JUMP:
            log.warning("sweeper.clock_set: the database's clock went by %+.0f s in a moment", jump)
        return jump > _JUMP


def erase(core: Flask, every: float, stopping: threading.Event) -> None:
    """Finish deletions until told to stop. This has a thread of its own, so that a long one delays no rescue (D-117).

    It goes on at once while there is something to erase. If the program ends on the way, the next one goes on.
    """
    erased: int | None = 0
    while not stopping.wait(0 if erased else every):
        with core.app_context():
            erased = _done(finish_erasures)


def main() -> int:
    """Run until SIGTERM or SIGINT."""
    settings = boot("sweeper")
    core = create_core(settings, lock_timeout=_LOCK_TIMEOUT)
    stopping = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopping.set())
    threading.Thread(target=erase, args=[core, settings.sweep_seconds, stopping], name="erase", daemon=True).start()
    run(core, settings.sweep_seconds, stopping)
    return 0


if __name__ == "__main__":
    sys.exit(main())
