"""The threads that run requests, and whose turn it is."""

import asyncio
import threading

import pytest

from api.serving.turns import Turns


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

    asyncio.run(ask())
    assert order == ["greedy", "modest", "greedy", "greedy"]


def test_the_caller_gets_what_the_work_returns_or_raises() -> None:
    async def ask() -> None:
        turns = Turns(2)
        assert await turns.run("a", lambda: 7) == 7
        with pytest.raises(ZeroDivisionError):
            await turns.run("a", lambda: 1 // 0)

    asyncio.run(ask())
