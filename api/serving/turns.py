"""The threads that run requests. Callers take turns, so a caller with many requests does not hold up the others.

A caller has half of the threads at most. Otherwise requests that wait, for example for a locked row, could hold all.
"""

import logging
import threading
import time
from collections import Counter, OrderedDict
from queue import SimpleQueue
from typing import Any, TypeVar

from api.serving.turn import Turn
from shared.errors.server import ServerFull

T = TypeVar("T")

log = logging.getLogger("web")

# Seconds between two looks for requests that hang.
_LOOK = 1.0
# Seconds. Statements, locks and trips end by their own time-outs, so a request that runs for longer hangs.
_HANGS = 30.0
# Seconds that a request may wait for a thread. After that it is refused, because most clients have given up.
_LONGEST_WAIT = 30.0
# Seconds between two lines of the log about refused requests.
_QUIET = 60.0


class Turns:
    """A fixed number of threads, and a queue for each caller. No thread keeps the process from ending."""

    def __init__(self, threads: int) -> None:
        self._threads, self._most = threads, max(1, threads // 2)
        self._waiting: OrderedDict[str, OrderedDict[Turn[Any], None]] = OrderedDict()
        self._at_work: dict[Turn[Any], None] = {}
        self._of_caller = Counter[str]()
        self._lock = threading.Lock()
        self._begun = SimpleQueue[Turn[Any]]()
        self._stuck, self._refused, self._quiet_until = False, 0, 0.0
        for number in range(threads):
            threading.Thread(target=self._serve, name=f"request-{number}", daemon=True).start()

    async def run(self, turn: Turn[T]) -> T:
        """The result of the turn, once a thread has done its work.

        Raises WorkFailed if the work raised anything, and ServerFull if all threads hang or none was free for long. If
        this is cancelled, for example because the client has gone, work that has not begun is forgotten.
        """
        if self._stuck:
            raise ServerFull
        with self._lock:
            self._waiting.setdefault(turn.caller, OrderedDict())[turn] = None
            self._fill_threads()
        try:
            return await turn.result
        finally:
            with self._lock:
                self._forget(turn)

    def watch(self) -> None:
        """Look at all turns once a second, for ever."""
        while True:
            time.sleep(_LOOK)
            self.look(time.monotonic())

    def look(self, now: float) -> None:
        """Log the requests that hang, and refuse those that have waited for too long."""
        with self._lock:
            overdue = [turn for own in self._waiting.values() for turn in own if now - turn.came > _LONGEST_WAIT]
            for turn in overdue:  # in the same moment, or a thread could begin one that is refused
                self._forget(turn)
            hanging = [turn for turn in self._at_work if now - turn.began > _HANGS]
        for turn in overdue:
            turn.refuse(ServerFull())
        self._note_refused(len(overdue), now)
        for turn in hanging:
            if not turn.noted:
                turn.noted = True
                log.warning("request.hangs: %s has run for %d s; its thread is lost until it ends", turn.name, _HANGS)
        self._note_stuck(len(hanging) == self._threads)

    def _serve(self) -> None:
        while True:
            turn = self._begun.get()
            turn.do()
            with self._lock:
                del self._at_work[turn]
                self._of_caller[turn.caller] -= 1
                self._of_caller += Counter()  # forgets the callers that have no request at work
                self._fill_threads()
            del turn  # else the last request and its answer would stay in memory until the next one

    def _fill_threads(self) -> None:
        """Begin turns as long as a thread is free for one. Each such thread then finds its turn at once (D-202)."""
        while len(self._at_work) < self._threads and (caller := self._next()) is not None:
            own = self._waiting[caller]
            turn, _ = own.popitem(last=False)
            self._waiting.move_to_end(caller)  # the next turn of this caller comes after all others
            if not own:
                del self._waiting[caller]
            self._of_caller[caller] += 1
            self._at_work[turn] = None
            turn.began = time.monotonic()
            self._begun.put(turn)

    def _next(self) -> str | None:
        return next((caller for caller in self._waiting if self._of_caller[caller] < self._most), None)

    def _forget(self, turn: Turn[Any]) -> None:
        """Take the turn out of the queue, if it still stands there."""
        own = self._waiting.get(turn.caller, OrderedDict())
        own.pop(turn, None)
        if not own:
            self._waiting.pop(turn.caller, None)

    def _note_refused(self, refused: int, now: float) -> None:
        self._refused += refused
        if self._refused and now >= self._quiet_until:
            log.warning(
                "request.refused: %d requests got 503 since the last such line, because no thread was free for %d s",
                self._refused,
                _LONGEST_WAIT,
            )
            self._refused, self._quiet_until = 0, now + _QUIET

    def _note_stuck(self, stuck: bool) -> None:
        if stuck and not self._stuck:
            log.error("request.stuck: all %d threads hang; this process answers 503 until one is free", self._threads)
        self._stuck = stuck
