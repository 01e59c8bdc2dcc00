"""One request's turn: it waits for a thread, runs there, and ends with a result for the client."""

import asyncio
import time
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import Generic, TypeVar

from shared.errors.base import HoldfastError

T = TypeVar("T")


class WorkFailed(Exception):
    """The work raised something, which is the cause. Nothing that the work raises ends a thread or the event loop."""


class Turn(Generic[T]):
    """The work of a request, for a caller. `name` is for the log."""

    def __init__(self, caller: str, name: str, work: Callable[[], T]) -> None:
        self.caller, self.name, self._work = caller, name, work
        self._loop = asyncio.get_running_loop()
        self.result: asyncio.Future[T] = self._loop.create_future()
        #: When the turn came, and when it got a thread.
        self.came, self.began = time.monotonic(), 0.0
        #: Whether the log has told that it hangs.
        self.noted = False

    @property
    def waits(self) -> bool:
        """Whether the turn stands in the queue because all threads that it may have are busy."""
        return not self.began

    def do(self) -> None:
        """Do the work, in this thread."""
        try:
            tell = partial(self.result.set_result, self._work())
        except BaseException as error:  # noqa: BLE001 - an exit of a thread would leave its client without an answer
            tell = partial(self.result.set_exception, _failed(error))
        self._tell(tell)

    def refuse(self, error: HoldfastError) -> None:
        """End the turn without its work. Called in any thread."""
        self._tell(partial(self.result.set_exception, error))

    def abandon(self) -> None:
        """The client has gone. The turn is forgotten, unless it has begun (D-136). Called in the event loop."""
        if self.waits:
            self.result.cancel()

    def _tell(self, tell: Callable[[], None]) -> None:
        with suppress(RuntimeError):  # a drain that lasted too long has closed the loop
            # the request may have been cancelled, too
            self._loop.call_soon_threadsafe(lambda: None if self.result.done() else tell())


def _failed(error: BaseException) -> WorkFailed:
    failed = WorkFailed()
    failed.__cause__ = error
    return failed
