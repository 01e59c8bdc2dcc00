"""One thread a process that keeps every running reply's lease, and ends those that must not go on."""

import logging
import threading
import time

from flask import Flask
from sqlalchemy.exc import SQLAlchemyError

from shared.actions.finish_reply import Superseded
from shared.actions.leases import renew_leases, still_ours
from shared.errors import ModelTimeout, ReplyTimeout
from shared.settings import Settings
from workers.run import Run

log = logging.getLogger(__name__)

# Seconds between looks at the clock, and between looks at the rows.
_TICK = 0.25
_LOOK = 2.0


class Watchdog:
    """Sleeps while nothing runs; start it once a process."""

    def __init__(self, core: Flask, settings: Settings) -> None:
        self._core = core
        self._settings = settings
        self._lock = threading.Lock()
        self._busy = threading.Event()
        self._runs: set[Run] = set()
        self._looked = 0.0

    def start(self) -> None:
        """Begin to watch."""
        threading.Thread(target=self._work, name="watchdog", daemon=True).start()

    def watch(self, run: Run) -> None:
        """Keep its lease from now on."""
        with self._lock:
            self._runs.add(run)
            self._busy.set()

    def leave(self, run: Run) -> None:
        """It ends now; the lease it has is enough for that."""
        with self._lock:
            self._runs.discard(run)
            if not self._runs:
                self._busy.clear()

    def _work(self) -> None:
        while True:
            self._busy.wait()
            with self._lock:
                runs = list(self._runs)
            try:
                with self._core.app_context():
                    self._look_after(runs)
            except SQLAlchemyError as error:
                log.warning("watchdog.database_away: %s", type(error).__name__)
            except Exception:  # a thread that ended here would cost every reply of the process its lease
                log.exception("watchdog.failed")
            time.sleep(_TICK)

    def _look_after(self, runs: list[Run]) -> None:
        now = time.monotonic()
        for run in runs:
            self._check_deadlines(run, now)
        self._renew([run for run in runs if now - run.renewed > self._settings.lease_seconds / 3])
        if now - self._looked > _LOOK:
            self._looked = now
            self._check_rows(runs)

    def _check_deadlines(self, run: Run, now: float) -> None:
        settings = self._settings
        quiet = settings.silence_timeout if run.size else settings.first_text_timeout
        if now - run.last_text > quiet:
            run.cut_short(ModelTimeout())
        elif now - run.started > run.remaining:
            run.cut_short(ReplyTimeout())
        elif now - run.renewed > settings.lease_seconds * 2 / 3:
            run.cut_short(Superseded())  # the lease may lapse before the next chance to renew it

    def _renew(self, runs: list[Run]) -> None:
        if runs:
            at = time.monotonic()
            renew_leases([(run.claim, *run.checkpoint()) for run in runs])
            for run in runs:
                run.renewed = at

    def _check_rows(self, runs: list[Run]) -> None:
        ours = still_ours([run.claim for run in runs])
        for run in runs:
            if run.claim.id not in ours:
                run.cut_short(Superseded())
