"""The threads that run requests. Callers take turns, so a caller with many requests does not hold up the others.

A caller has half of the threads at most. Otherwise requests that wait, for example for a locked row, could hold all.
"""

import logging
import threading
import time
from collections import Counter, OrderedDict, deque
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


class Turns:
    """A fixed number of threads, and a queue for each caller. No thread keeps the process from ending."""

    def __init__(self, threads: int) -> None:
        self._threads, self._most = threads, max(1, threads // 2)
        self._waiting: OrderedDict[str, deque[Turn[Any]]] = OrderedDict()
        self._at_work: dict[Turn[Any], None] = {}
        self._of_caller = Counter[str]()
        self._changed = threading.Condition()
        self._stuck = False
        for number in range(threads):
            threading.Thread(target=self._serve, name=f"request-{number}", daemon=True).start()

    async def run(self, turn: Turn[T]) -> T:
        """The result of the turn, once a thread has done its work.

        Raises WorkFailed if the work raised anything, and ServerFull if all threads hang or none was free for long. If
        this is cancelled, for example because the client has gone, work that has not begun is forgotten.
        """
        if self._stuck:
            raise ServerFull
        self._add(turn)
        try:
            return await turn.result
        finally:
            self._forget(turn)

    def watch(self) -> None:
        """Look at all turns once a second, for ever."""
        while True:
            time.sleep(_LOOK)
            self.look(time.monotonic())

    def look(self, now: float) -> None:
        """Log the requests that hang, and refuse those that have waited for too long."""
        with self._changed:
            overdue = [turn for own in self._waiting.values() for turn in own if now - turn.came > _LONGEST_WAIT]
            hanging = [turn for turn in self._at_work if now - turn.began > _HANGS]
        for turn in overdue:
            self._forget(turn)
            turn.refuse(ServerFull())
        for turn in hanging:
            if not turn.noted:
                turn.noted = True
                log.warning("request.hangs: %s has run for %d s; its thread is lost until it ends", turn.name, _HANGS)
        self._note_stuck(len(hanging) == self._threads)

    def _add(self, turn: Turn[Any]) -> None:
        with self._changed:
            waiting = sum(map(len, self._waiting.values()))
            free = self._threads - len(self._at_work) - waiting
            turn.queued = free < 1 or self._of_caller[turn.caller] >= self._most
            self._waiting.setdefault(turn.caller, deque()).append(turn)
            self._changed.notify()

    def _forget(self, turn: Turn[Any]) -> None:
        """Take the turn out of the queue, if it still stands there."""
        with self._changed:
            own = self._waiting.get(turn.caller, deque())
            if not turn.began and turn in own:
                own.remove(turn)
                if not own:
                    del self._waiting[turn.caller]

    def _serve(self) -> None:
        while True:
            turn = self._begun()
            turn.do()
            with self._changed:
                del self._at_work[turn]
                self._of_caller[turn.caller] -= 1
                self._of_caller += Counter()  # forgets the callers that have no request at work
                self._changed.notify()

    def _begun(self) -> Turn[Any]:
        """The next turn, once there is one."""
        with self._changed:
            while (caller := self._next()) is None:  # wait_for() would take an empty name for none
                self._changed.wait()
            own = self._waiting.pop(caller)
            turn = own.popleft()
            if own:
                self._waiting[caller] = own  # the next turn of this caller comes after all others
            self._of_caller[caller] += 1
            self._at_work[turn] = None
            turn.began = time.monotonic()
            return turn

    def _next(self) -> str | None:
        return next((caller for caller in self._waiting if self._of_caller[caller] < self._most), None)

    def _note_stuck(self, stuck: bool) -> None:
        if stuck and not self._stuck:
            log.error("request.stuck: all %d threads hang; this process answers 503 until one is free", self._threads)
        self._stuck = stuck
