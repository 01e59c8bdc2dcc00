"""The threads that run requests. Callers take turns, so a caller with many requests does not hold up the others.

A caller has half of the threads at most. Otherwise requests that wait, for example for a locked row, could hold all.
"""

import asyncio
import threading
from collections import Counter, OrderedDict, deque
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import TypeVar

T = TypeVar("T")


class Turns:
    """A fixed number of threads, and a queue for each caller. No thread keeps the process from ending."""

    def __init__(self, threads: int) -> None:
        self._most = max(1, threads // 2)
        self._waiting: OrderedDict[str, deque[Callable[[], None]]] = OrderedDict()
        self._running = Counter[str]()
        self._changed = threading.Condition()
        for number in range(threads):
            threading.Thread(target=self._serve, name=f"request-{number}", daemon=True).start()

    async def run(self, caller: str, work: Callable[[], T]) -> T:
        """The result of the work, once a thread has done it. Raises what the work raises."""
        loop = asyncio.get_running_loop()
        done: asyncio.Future[T] = loop.create_future()
        with self._changed:
            self._waiting.setdefault(caller, deque()).append(lambda: _work(work, done, loop))
            self._changed.notify()
        return await done

    def _serve(self) -> None:
        while True:
            with self._changed:
                while (caller := self._next()) is None:
                    self._changed.wait()
                own = self._waiting.pop(caller)
                work = own.popleft()
                if own:
                    self._waiting[caller] = own  # the next turn of this caller comes after all others
                self._running[caller] += 1
            work()
            with self._changed:
                self._running[caller] -= 1
                self._running += Counter()  # forgets the callers that have no request at work
                self._changed.notify()

    def _next(self) -> str | None:
        return next((caller for caller in self._waiting if self._running[caller] < self._most), None)


def _work(work: Callable[[], T], done: asyncio.Future[T], loop: asyncio.AbstractEventLoop) -> None:
    tell: Callable[[], None]
    try:
        tell = partial(done.set_result, work())
    except Exception as error:  # noqa: BLE001 - the caller gets it
        tell = partial(done.set_exception, error)
    with suppress(RuntimeError):  # a drain that lasted too long has closed the loop
        loop.call_soon_threadsafe(lambda: None if done.done() else tell())  # it may have cancelled the request, too
