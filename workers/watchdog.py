"""Keeps every running reply's lease, and ends those that must not go on.

Two threads a process: one asks the database, one looks at the clock only, so that a database that hangs delays no
deadline.
"""

import logging
import math
import threading
import time
from collections.abc import Callable

from flask import Flask
from sqlalchemy.exc import SQLAlchemyError

from shared.actions.replies.finish import Superseded
from shared.actions.replies.leases import renew_leases, still_ours
from shared.errors.replies import ModelTimeout, ReplyTimeout
from shared.settings import Settings
from workers.run import Run

log = logging.getLogger(__name__)

# Seconds between looks at the clock, and between looks at the rows: one query a process, so that a reply that was
# stopped has let go of its model within the promised 2 s on a busy machine too.
_TICK = 0.25
_LOOK = 0.5
# Of the time to drain, and at most so many seconds: kept for giving back what did not end.
_TO_GIVE_BACK, _MOST_TO_GIVE_BACK = 1 / 3, 3.0


class Drained(Exception):
    """This process ends before the reply could; another one runs it again."""


class Watchdog:
    """Sleeps while nothing runs; start it once a process."""

    def __init__(self, core: Flask, settings: Settings) -> None:
        self._core = core
        self._settings = settings
        self._lock = threading.Lock()
        self._busy = threading.Event()
        self._runs: set[Run] = set()
        self._looked = 0.0
        self._last_moment = math.inf

    def start(self) -> None:
        """Begin to watch."""
        for name, look in (("watchdog", self._look_at_clock), ("leases", self._look_at_rows)):
            threading.Thread(target=self._work, args=[look], name=name, daemon=True).start()

    def watch(self, run: Run) -> None:
        """Keep its lease from now on."""
        with self._lock:
            if not self._runs:
                self._looked = time.monotonic()  # it was claimed just now, so there is nothing to see yet
            self._runs.add(run)
            self._busy.set()

    def leave(self, run: Run) -> None:
        """It ends now; the lease it has is enough for that."""
        with self._lock:
            self._runs.discard(run)
            if not self._runs:
                self._busy.clear()

    def drain(self) -> None:
        """This process ends soon: cut what does not end by itself in time. Takes no lock, for signal handlers."""
        if not self.draining:
            seconds = self._settings.drain_seconds
            self._last_moment = time.monotonic() + seconds - min(_MOST_TO_GIVE_BACK, seconds * _TO_GIVE_BACK)

    @property
    def draining(self) -> bool:
        """Whether this process takes no more replies."""
        return self._last_moment < math.inf

    def _work(self, look: Callable[[list[Run]], None]) -> None:
        while True:
            self._busy.wait()
            with self._lock:
                runs = list(self._runs)
            try:
                with self._core.app_context():
                    look(runs)
            except SQLAlchemyError as error:
                log.warning("watchdog.database_away: %s", type(error).__name__)
            except Exception:  # a thread that ended here would cost every reply of the process its lease
                log.exception("watchdog.failed")
            time.sleep(_TICK)

    def _look_at_clock(self, runs: list[Run]) -> None:
        now = time.monotonic()
        for run in runs:
            self._check_deadlines(run, now)

    def _check_deadlines(self, run: Run, now: float) -> None:
        settings = self._settings
        quiet = settings.silence_timeout if run.size else settings.first_text_timeout
        if now - run.last_text > quiet:
            run.cut_short(ModelTimeout())
        elif now - run.started > run.remaining:
            run.cut_short(ReplyTimeout())
        elif now > run.leased_until:
            run.cut_short(Superseded())  # someone else may have it by now
        elif now > self._last_moment:
            run.cut_short(Drained())

    def _look_at_rows(self, runs: list[Run]) -> None:
        now = time.monotonic()
        self._renew([run for run in runs if now - run.renewed > self._settings.lease_seconds / 3])
        if now - self._looked > _LOOK:
            self._looked = now
            self._check_rows(runs)

    def _renew(self, runs: list[Run]) -> None:
        if runs:
            at = time.monotonic()
            renew_leases([(run.claim, *run.checkpoint()) for run in runs])
            for run in runs:
                run.leased(at, self._settings.lease_seconds)

    def _check_rows(self, runs: list[Run]) -> None:
        ours = still_ours([run.claim for run in runs])
        for run in runs:
            if run.claim.id not in ours:
                run.cut_short(Superseded())
