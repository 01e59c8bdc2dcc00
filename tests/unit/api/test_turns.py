"""The threads that run requests, and whose turn it is."""

import asyncio
import threading
from collections.abc import Coroutine
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from api.serving.turns import Turns
from tests.eventually import patience


def run(asked: Coroutine[Any, Any, None]) -> None:
    """Run it in a thread of its own. In the main thread the browser of other tests may have an event loop."""
    with ThreadPoolExecutor(1) as thread:
        thread.submit(asyncio.run, asked).result()


def test_callers_take_turns() -> None:
    begun, order = threading.Event(), list[str]()

    async def ask() -> None:
        turns, gate = Turns(1), threading.Event()
        first = asyncio.create_task(turns.run("greedy", lambda: (begun.set(), gate.wait())))
        await asyncio.to_thread(begun.wait)
        rest = [turns.run(caller, lambda caller=caller: order.append(caller)) for caller in [*3 * ["greedy"], "modest"]]
        waiting = [asyncio.create_task(one) for one in rest]
        await asyncio.sleep(0)  # so all of them wait
        gate.set()
        await asyncio.gather(first, *waiting)

    run(ask())
    assert order == ["greedy", "modest", "greedy", "greedy"]


def test_a_caller_has_half_of_the_threads_at_most() -> None:
    begun, gate = threading.Semaphore(0), threading.Event()

    async def ask() -> None:
        turns = Turns(4)
        greedy = [asyncio.create_task(turns.run("greedy", lambda: (begun.release(), gate.wait()))) for _ in range(9)]
        await asyncio.to_thread(lambda: [begun.acquire() for _ in range(2)])
        try:
            assert await asyncio.wait_for(turns.run("modest", lambda: 7), patience(5)) == 7
            assert not begun.acquire(blocking=False)
        finally:
            gate.set()
        await asyncio.gather(*greedy)

    run(ask())


def test_the_caller_gets_what_the_work_returns_or_raises() -> None:
    async def ask() -> None:
        turns = Turns(2)
        assert await turns.run("a", lambda: 7) == 7
        with pytest.raises(ZeroDivisionError):
            await turns.run("a", lambda: 1 // 0)

    run(ask())


@pytest.mark.parametrize("caller", ["ada", ""])
def test_any_name_of_a_caller_has_its_turn(caller: str) -> None:
    """A proxy may send an empty address."""

    async def ask() -> None:
        assert await asyncio.wait_for(Turns(2).run(caller, lambda: "done"), patience(5)) == "done"

    run(ask())
