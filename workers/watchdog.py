"""Renews the lease of every running reply, and cuts short the replies that must not go on.

It has two threads in each process. One asks the database, and the other looks at the clock only. So a database that
hangs delays no deadline (D-05).
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

# Seconds between two looks at the clock, and between two looks at the rows (D-06). A look at the rows is one query for
# the process. A stopped reply must let go of its model within 2 s, on a busy machine too.
_TICK = 0.25
_LOOK = 0.5
# The part of the drain time, and the most seconds of it, that remain for giving back unfinished replies.
_TO_GIVE_BACK, _MOST_TO_GIVE_BACK = 1 / 3, 3.0


class Drained(Exception):
    """This process ends before the reply does. Another process runs the reply again."""


class Watchdog:
    """Watches all running replies of a process, and sleeps while there are none. Start it once in each process."""

    def __init__(self, core: Flask, settings: Settings) -> None:
        self._core = core
        self._settings = settings
        self._lock = threading.Lock()
        self._busy = threading.Event()
        self._runs: set[Run] = set()
        self._looked = 0.0
        self._last_moment = math.inf

    def start(self) -> None:
        """Start the two threads (D-05)."""
        for name, look in (("watchdog", self._look_at_clock), ("leases", self._look_at_rows)):
            threading.Thread(target=self._work, args=[look], name=name, daemon=True).start()

    def watch(self, run: Run) -> None:
        """Watch this attempt and renew its lease from now on."""
        with self._lock:
            if not self._runs:
                self._looked = time.monotonic()  # the row was claimed just now, so it needs no look yet
            self._runs.add(run)
            self._busy.set()

    def leave(self, run: Run) -> None:
        """Stop watching this attempt. Its present lease is long enough for its ending."""
        with self._lock:
            self._runs.discard(run)
            if not self._runs:
                self._busy.clear()

    def drain(self) -> None:
        """This process ends soon: cut short the replies that do not end in time. Takes no lock, for signal handlers."""
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
                log.warning("watchdog.database_away: %s; leases may lapse meanwhile", type(error).__name__)
            except Exception:  # if this thread ended, all replies of the process would lose their leases
                log.exception("watchdog.failed: one check failed; the watchdog tries again")
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
            run.cut_short(Superseded())  # the lease has lapsed, so another worker may have the reply by now
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
            renewed = renew_leases([(run.claim, *run.checkpoint()) for run in runs])
            for run in runs:  # a run that is left out is tried again with the next look, until its lease is over
                if (run.claim.id, run.claim.attempt) in renewed:
                    run.leased(at, self._settings.lease_seconds)

    def _check_rows(self, runs: list[Run]) -> None:
        ours = still_ours([run.claim for run in runs])
        for run in runs:
            if (run.claim.id, run.claim.attempt) not in ours:
                run.cut_short(Superseded())
