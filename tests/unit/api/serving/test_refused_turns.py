"""Requests that a busy `web` refuses, and threads that hang."""

import asyncio
import math
from collections.abc import Callable

import pytest

from api.serving import turns as module
from api.serving.turns import Turns
from shared.errors.server import ServerFull
from tests.eventually import eventually
from tests.unit.api.serving.turning import Gate, run, turn


def test_what_a_thread_has_begun_is_never_refused() -> None:
    async def ask() -> None:
        turns, gate, next_gate = Turns(1), Gate(), Gate()
        busy = asyncio.create_task(turns.run(turn(gate)))
        await gate.held()
        first, second, third = turn(next_gate), turn(next_gate), turn(next_gate)
        third.came = math.inf  # the others wait for too long
        asked = [asyncio.create_task(turns.run(one)) for one in (first, second, third)]
        await asyncio.sleep(0)

        def refused_while_the_thread_goes_on(error: ServerFull, refuse: Callable[..., None] = first.refuse) -> None:
            refuse(error)
            gate.opens.set()
            next_gate.begun.acquire()

        first.refuse = refused_while_the_thread_goes_on  # type: ignore[method-assign, assignment]
        await asyncio.to_thread(turns.look, module.time.monotonic() + module._LONGEST_WAIT + 1)
        next_gate.opens.set()
        answers = await asyncio.gather(busy, *asked, return_exceptions=True)
        assert [isinstance(answer, ServerFull) for answer in answers] == [False, True, True, False]
        assert (bool(second.began), bool(third.began)) == (False, True)

    run(ask())


def test_refusals_have_one_line_of_the_log_a_minute(caplog: pytest.LogCaptureFixture) -> None:
    async def ask() -> None:
        turns, gate = Turns(1), Gate()
        busy = turn(gate)
        first = asyncio.create_task(turns.run(busy))
        await gate.held()
        busy.began = math.inf  # it does not hang
        for later in (1, 2, 2 + module._QUIET):
            waits = asyncio.create_task(turns.run(turn(lambda: None)))
            await asyncio.sleep(0)
            turns.look(module.time.monotonic() + module._LONGEST_WAIT + later)
            with pytest.raises(ServerFull):
                await waits
        gate.opens.set()
        await first

    run(ask())
    assert [message.partition(",")[0] for message in caplog.messages] == [
        "request.refused: 1 requests got 503 since the last such line",
        "request.refused: 2 requests got 503 since the last such line",
    ]


def test_hanging_work_is_logged_once_and_new_work_is_refused_while_all_threads_hang(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def ask() -> None:
        turns, gate = Turns(2), Gate()
        both = [asyncio.create_task(turns.run(turn(gate, caller))) for caller in ("one", "other")]
        await gate.held(2)
        waits = asyncio.create_task(turns.run(turn(lambda: 7)))
        await asyncio.sleep(0)
        later = module.time.monotonic() + module._HANGS + 1
        for _ in range(2):
            turns.look(later)
        for refused in (waits, turns.run(turn(lambda: 7))):
            with pytest.raises(ServerFull):
                await refused
        gate.opens.set()
        await asyncio.gather(*both)
        await asyncio.to_thread(eventually, lambda: not turns._at_work)  # a thread tells its result before it is free
        turns.look(later)
        assert await turns.run(turn(lambda: 7)) == 7

    run(ask())
    told = [record.message.split()[0] for record in caplog.records]
    assert told == ["request.refused:", "request.hangs:", "request.hangs:", "request.stuck:"]
    assert "GET /somewhere has run for 30 s" in caplog.text
