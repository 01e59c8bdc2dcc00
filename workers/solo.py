"""Writes a reply in a process of its own, where it can end nobody else's: its last worker died while it wrote it.

The processes come from a fork server, so each costs a fork and not the imports; the server itself starts when the
first of them is needed. Never a fork of the worker, whose other threads may hold any lock.
"""

import logging
import multiprocessing
import os
import signal
import threading
import time
from dataclasses import replace
from multiprocessing.connection import Connection
from multiprocessing.context import ForkServerProcess

from shared.actions.claim_reply import Claim
from shared.core import create_core
from shared.settings import Settings
from workers.reply import create_desk, write_claimed
from workers.run import Run
from workers.watchdog import Watchdog

log = logging.getLogger(__name__)

# Processes at once, of 27 MB each: what killed the worker may have been a lack of memory. The other replies wait.
_MOST = 10
# Seconds between looks at whether to go on waiting.
_TICK = 0.25
_DRAIN = "drain"


class Solo:
    """The processes that one worker process has started for single replies."""

    def __init__(self, settings: Settings, watchdog: Watchdog) -> None:
        self._settings = settings
        self._watchdog = watchdog
        self._free = threading.BoundedSemaphore(_MOST)
        self._context = multiprocessing.get_context("forkserver")
        self._context.set_forkserver_preload([__name__, f"workers.providers.{_module_of(settings)}"])

    def write(self, run: Run) -> None:
        """Have it written; returns when its process has ended, however that came."""
        self._wait_for_room(run)
        ours, its = multiprocessing.Pipe()
        left = int((run.started + run.remaining - time.monotonic()) * 1000)
        claim = replace(run.claim, remaining_ms=left)
        process = self._context.Process(target=_work, args=(claim, run.renewed, its, self._settings), name="solo")
        try:
            process.start()
            its.close()
            self._wait_for_end(process, ours)
        finally:
            ours.close()
            self._free.release()
        if process.exitcode:
            log.error("solo.died: exit code %s; once its lease lapses the reply fails", process.exitcode)

    def _wait_for_room(self, run: Run) -> None:
        self._watchdog.watch(run)  # keeps the lease meanwhile
        try:
            while not self._free.acquire(timeout=_TICK):
                run.check()
        finally:
            self._watchdog.leave(run)

    def _wait_for_end(self, process: ForkServerProcess, ours: Connection) -> None:
        told = False
        while process.exitcode is None:
            if self._watchdog.draining and not told:
                told = True
                ours.send(_DRAIN)
            process.join(_TICK)


def _module_of(settings: Settings) -> str:
    return "openai_client" if settings.provider == "openai" else "scripted"


def _work(claim: Claim, renewed: float, boss: Connection, settings: Settings) -> None:
    """What such a process does: the attempt that the worker has claimed and hands over with its lease."""
    for number in (signal.SIGTERM, signal.SIGINT):  # may reach the whole group; the worker tells when to drain
        signal.signal(number, signal.SIG_IGN)
    core = create_core(settings)
    desk = create_desk(core, settings)
    threading.Thread(target=_obey, args=(boss, desk.watchdog), daemon=True).start()
    run = Run(claim)
    run.leased(renewed, settings.lease_seconds)  # one clock for all processes of a machine
    with core.app_context():
        write_claimed(run, desk)


def _obey(boss: Connection, watchdog: Watchdog) -> None:
    """Drain when told to; end with the worker."""
    try:
        while boss.recv() == _DRAIN:
            watchdog.drain()
    except (EOFError, OSError):
        os._exit(1)
