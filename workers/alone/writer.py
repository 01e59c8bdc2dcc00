"""Writes a reply alone, in a process of its own. Its last worker died, and the reply may be the cause (D-13).

The processes come from a fork server, so each costs a fork and not the imports. The server starts when the first
process is needed. A worker itself is never forked, because its other threads may hold locks.
"""

import logging
import math
import multiprocessing
import os
import threading
import time
from contextlib import suppress
from dataclasses import replace
from multiprocessing.connection import Connection
from multiprocessing.context import ForkServerProcess

from shared.core import create_core
from shared.settings import Settings
from workers.alone.stragglers import TO_GIVE_BACK, held
from workers.reply import create_desk, write_claimed
from workers.run import Run
from workers.watchdog import Drained, Watchdog

log = logging.getLogger(__name__)

# The most processes at a time, each with 17 MB of its own. Further replies wait, because a lack of memory may have
# killed the worker.
_MOST = 20
# Seconds between two checks of a wait.
_TICK = 0.25
# The messages between the worker and the process, besides the claim.
_READY, _DRAIN = "ready", "drain"


class AloneWriter:
    """Starts and watches the processes that write this worker's suspect replies, one reply each."""

    def __init__(self, settings: Settings, watchdog: Watchdog) -> None:
        self._settings = settings
        self._watchdog = watchdog
        self._free = threading.BoundedSemaphore(_MOST)
        self._context = multiprocessing.get_context("forkserver")
        self._context.set_forkserver_preload(
            ["workers.alone.signals", __name__, f"workers.providers.{_module_of(settings)}"]
        )

    def write(self, run: Run) -> None:
        """Write the reply in a process of its own. Returns when that process has ended, for any reason."""
        run.last_text = math.inf  # the time-out for silence does not run before the model is asked
        self._watchdog.watch(run)  # until the other process takes over the lease
        try:
            while not self._free.acquire(timeout=_TICK):
                run.check()
            try:
                exit_code = self._write(run)
            finally:
                self._free.release()
        finally:
            self._watchdog.leave(run)
        if exit_code:
            log.error("alone.died: exit code %s; the sweeper takes the reply back once its lease has lapsed", exit_code)

    def _write(self, run: Run) -> int:
        ours, its = multiprocessing.Pipe()
        with ours:
            with its:
                process = self._start(run, its)
            with suppress(EOFError, OSError):  # the process has died
                self._hand_over(run, ours)
                self._drain_with_it(process, ours)
            process.join()
        return process.exitcode or 0

    def _start(self, run: Run, its: Connection) -> ForkServerProcess:
        """Start the process. If the fork server has died, of a signal for example, the next try starts a new one."""
        while True:
            run.check()
            process = self._context.Process(target=_work, args=(its, held, self._settings), name="alone")
            try:
                process.start()
            except (EOFError, OSError) as error:
                log.warning("alone.not_started: %s; the worker tries again to start the process", type(error).__name__)
                time.sleep(_TICK)
            else:
                return process

    def _hand_over(self, run: Run, ours: Connection) -> None:
        while not ours.poll(_TICK):
            run.check()
        ours.recv()  # the process is ready
        self._watchdog.leave(run)
        run.check()
        left = int((run.started + run.remaining - time.monotonic()) * 1000)
        ours.send((replace(run.claim, remaining_ms=left), run.renewed))

    def _drain_with_it(self, process: ForkServerProcess, ours: Connection) -> None:
        while process.exitcode is None and not self._watchdog.draining:
            process.join(_TICK)
        ours.send(_DRAIN)


def _module_of(settings: Settings) -> str:
    return "openai_client" if settings.provider == "openai" else "scripted"


def _work(boss: Connection, _held: Connection, settings: Settings) -> None:
    """The process runs this. It takes over the claim and the lease from the worker, and writes the attempt."""
    core = create_core(settings)
    desk = create_desk(core, settings)
    try:
        boss.send(_READY)
        claim, renewed = boss.recv()
    except (EOFError, OSError):  # the worker has cut the reply short meanwhile, or has died
        return
    run = Run(claim)
    run.leased(renewed, settings.lease_seconds)  # all processes of a machine share this clock
    threading.Thread(target=_obey, args=(boss, run, desk.watchdog), daemon=True).start()
    with core.app_context():
        write_claimed(run, desk)


def _obey(boss: Connection, run: Run, watchdog: Watchdog) -> None:
    """Drain when the worker says so. If the worker dies, give the reply back and end (D-14).

    Then something else has killed the worker, not this reply.
    """
    with suppress(EOFError, OSError):
        while boss.recv() == _DRAIN:
            watchdog.drain()
    run.cut_short(Drained())
    time.sleep(TO_GIVE_BACK)
    os._exit(1)
