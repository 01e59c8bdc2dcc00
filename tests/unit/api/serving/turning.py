"""Work for the threads that run requests. A test lets it begin, waits for that, and lets it end."""

import asyncio
import threading
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

from api.serving.turn import Turn
from tests.eventually import patience

T = TypeVar("T")


def run(asked: Coroutine[Any, Any, T]) -> T:
    """Run it in a thread of its own. In the main thread the browser of other tests may have an event loop."""
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(asyncio.run, asyncio.wait_for(asked, patience(5))).result()


def turn(work: Callable[[], Any], caller: str = "somebody") -> Turn[Any]:
    return Turn(caller, "GET /somewhere", work)


class Gate:
    """Work that has begun once `begun` is released, and ends when `opens` is set."""

    def __init__(self) -> None:
        self.begun, self.opens = threading.Semaphore(0), threading.Event()

    def __call__(self) -> None:
        self.begun.release()
        self.opens.wait()

    async def held(self, times: int = 1) -> None:
        """Wait until this many pieces of work have begun."""
        await asyncio.to_thread(lambda: [self.begun.acquire() for _ in range(times)])
