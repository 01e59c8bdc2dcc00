"""The sweeper: a small loop that finds what others left lying. Run as many as you like: `python -m workers.sweeper`."""

import logging
import random
import signal
import sys
import threading
import time

from flask import Flask
from sqlalchemy.exc import SQLAlchemyError

from shared.actions.forget_keys import forget_keys
from shared.actions.forget_tombstones import forget_tombstones
from shared.actions.hand_over_again import hand_over_again
from shared.actions.rescue import expire_overdue, fail_hung, give_turns, rescue_lapsed
from shared.actions.revoke import copy_revocations
from shared.actions.sign_ins import forget_sign_ins
from shared.core import create_core, current_settings
from shared.redis_link import refuse_eviction
from shared.settings import SettingsError, load_settings

log = logging.getLogger("sweeper")

#: The longest pause between two sweeps, of the one that is set.
SLOWEST = 1.2


def sweep(rescuing: bool = True) -> bool:
    """One round; every step may be repeated or shared with other sweepers, and none waits for another's success.

    Whether the database was there for all of them.
    """
    well = True
    steps = (rescue_lapsed, fail_hung, expire_overdue, give_turns, hand_over_again, copy_revocations)
    cleaning = (forget_keys, forget_tombstones, forget_sign_ins)
    for step in (*steps[not rescuing :], *cleaning):
        try:
            step()
        except SQLAlchemyError as error:
            well = False
            log.warning("sweeper.%s_failed: %s", step.__name__, type(error).__name__)
        except Exception:  # a sweeper that ended here would end at it again and again, and do nothing of the rest
            log.exception("sweeper.%s_failed", step.__name__)
    return well


def run(core: Flask, every: float, stopping: threading.Event) -> None:
    """Sweep until told to stop. Where the database was away, no worker could renew its leases: those have time to."""
    patient_until = 0.0
    while not stopping.wait(every * random.uniform(2 - SLOWEST, SLOWEST)):  # jittered, so that many don't sweep in step
        with core.app_context():
            if not sweep(rescuing=time.monotonic() > patient_until):
                patient_until = time.monotonic() + current_settings().lease_seconds / 3


def main() -> int:
    """Run until SIGTERM or SIGINT."""
    try:
        settings = load_settings()
        core = create_core(settings)
        refuse_eviction(settings)
    except SettingsError as error:
        print(f"sweeper: {error}", file=sys.stderr)
        return 1
    stopping = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopping.set())
    run(core, settings.sweep_seconds, stopping)
    return 0


if __name__ == "__main__":
    sys.exit(main())
