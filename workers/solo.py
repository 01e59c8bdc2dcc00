"""Writes a reply in a process of its own, where it can end nobody else's: its last worker died while it wrote it.

The processes come from a fork server, so each costs a fork and not the imports; the server itself starts when the
first of them is needed. Never a fork of the worker, whose other threads may hold any lock.
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
from workers.reply import create_desk, write_claimed
from workers.run import Run
from workers.stragglers import TO_GIVE_BACK, held
from workers.watchdog import Drained, Watchdog

log = logging.getLogger(__name__)

# Processes at once, of 17 MB of their own each: what killed the worker may have been a lack of memory. Others wait.
_MOST = 20
# Seconds between looks at whether to go on waiting.
_TICK = 0.25
# What the two say to each other, besides the claim.
_READY, _DRAIN = "ready", "drain"


class Solo:
    """The processes that one worker process has started for single replies."""

    def __init__(self, settings: Settings, watchdog: Watchdog) -> None:
        self._settings = settings
        self._watchdog = watchdog
        self._free = threading.BoundedSemaphore(_MOST)
        self._context = multiprocessing.get_context("forkserver")
        self._context.set_forkserver_preload(["workers.deaf", __name__, f"workers.providers.{_module_of(settings)}"])

    def write(self, run: Run) -> None:
        """Have it written; returns when its process has ended, however that came."""
        run.last_text = math.inf  # no silence counts before the model is asked
        self._watchdog.watch(run)  # until the other process takes over
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
            log.error("solo.died: exit code %s; once its lease lapses the reply fails", exit_code)

    def _write(self, run: Run) -> int:
        ours, its = multiprocessing.Pipe()
        with ours:
            with its:
                process = self._start(run, its)
            with suppress(EOFError, OSError):  # it has died
                self._hand_over(run, ours)
                self._drain_with_it(process, ours)
            process.join()
        return process.exitcode or 0

    def _start(self, run: Run, its: Connection) -> ForkServerProcess:
        """A fork server may die, before it is deaf or for want of memory; the next try starts another one."""
        while True:
            run.check()
            process = self._context.Process(target=_work, args=(its, held, self._settings), name="solo")
            try:
                process.start()
            except (EOFError, OSError) as error:
                log.warning("solo.not_started: %s; trying again", type(error).__name__)
                time.sleep(_TICK)
            else:
                return process

    def _hand_over(self, run: Run, ours: Connection) -> None:
        while not ours.poll(_TICK):
            run.check()
        ours.recv()  # it is ready
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
    """What such a process does: the attempt that the worker has claimed and hands over with its lease."""
    core = create_core(settings)
    desk = create_desk(core, settings)
    try:
        boss.send(_READY)
        claim, renewed = boss.recv()
    except (EOFError, OSError):  # the reply was cut meanwhile, or the worker is gone
        return
    run = Run(claim)
    run.leased(renewed, settings.lease_seconds)  # one clock for all processes of a machine
    threading.Thread(target=_obey, args=(boss, run, desk.watchdog), daemon=True).start()
    with core.app_context():
        write_claimed(run, desk)


def _obey(boss: Connection, run: Run, watchdog: Watchdog) -> None:
    """Drain when told to. End with the worker, which did not die of this reply: give it back, however that goes."""
    with suppress(EOFError, OSError):
        while boss.recv() == _DRAIN:
            watchdog.drain()
    run.cut_short(Drained())
    time.sleep(TO_GIVE_BACK)
    os._exit(1)
