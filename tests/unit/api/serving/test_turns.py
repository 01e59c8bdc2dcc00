"""The threads that run requests, and whose turn it is."""

import asyncio
import weakref

import pytest

from api.serving.turn import WorkFailed
from api.serving.turns import Turns
from tests.eventually import eventually, patience
from tests.unit.api.serving.turning import Gate, run, turn


def test_callers_take_turns() -> None:
    order = list[str]()

    async def ask() -> None:
        turns, gate = Turns(1), Gate()
        first = asyncio.create_task(turns.run(turn(gate, "greedy")))
        await gate.held()
        callers = [*3 * ["greedy"], "modest"]
        rest = [turns.run(turn(lambda caller=caller: order.append(caller), caller)) for caller in callers]
        waiting = [asyncio.create_task(one) for one in rest]
        await asyncio.sleep(0)  # so all of them wait
        gate.opens.set()
        await asyncio.gather(first, *waiting)

    run(ask())
    assert order == ["greedy", "modest", "greedy", "greedy"]


def test_a_caller_has_half_of_the_threads_at_most() -> None:
    async def ask() -> None:
        turns, gate = Turns(4), Gate()
        greedy = [asyncio.create_task(turns.run(turn(gate, "greedy"))) for _ in range(9)]
        await gate.held(2)
        try:
            assert await turns.run(turn(lambda: 7, "modest")) == 7
            assert not gate.begun.acquire(blocking=False)
        finally:
            gate.opens.set()
        await asyncio.gather(*greedy)

    run(ask())


@pytest.mark.parametrize("raised", [ZeroDivisionError, StopIteration, SystemExit, KeyboardInterrupt, GeneratorExit])
def test_a_thread_outlives_whatever_its_work_raises(raised: type[BaseException]) -> None:
    def fail() -> None:
        raise raised

    async def ask() -> None:
        turns = Turns(1)
        for _ in range(2):
            with pytest.raises(WorkFailed) as failed:
                await turns.run(turn(fail))
            assert isinstance(failed.value.__cause__, raised)
        assert await turns.run(turn(lambda: 7)) == 7

    run(ask())


@pytest.mark.parametrize("caller", ["ada", ""])
def test_any_name_of_a_caller_has_its_turn(caller: str) -> None:
    """A client that is already gone may have no address."""

    async def ask() -> None:
        assert await asyncio.wait_for(Turns(2).run(turn(lambda: "done", caller)), patience(5)) == "done"

    run(ask())


def test_work_whose_client_goes_before_it_begins_is_never_done() -> None:
    done = list[str]()

    async def ask() -> None:
        turns, gate = Turns(1), Gate()
        started = turn(gate)
        first = asyncio.create_task(turns.run(started))
        await gate.held()
        gone = turn(lambda: done.append("gone"))
        second = asyncio.create_task(turns.run(gone))
        await asyncio.sleep(0)
        assert (started.waits, gone.waits) == (False, True)
        for one in (started, gone):
            one.abandon()
        assert (started.result.cancelled(), gone.result.cancelled()) == (False, True)
        with pytest.raises(asyncio.CancelledError):
            await second
        gate.opens.set()
        await first  # it had begun, so it was not cancelled
        await turns.run(turn(lambda: done.append("next")))

    run(ask())
    assert done == ["next"]


def test_a_turn_that_finds_a_free_thread_does_not_wait_whoever_else_does() -> None:
    async def ask() -> None:
        turns, gate = Turns(4), Gate()
        greedy = [turn(gate, "greedy") for _ in range(6)]
        others = [turn(gate, caller) for caller in ("one", "two")]
        asked = [asyncio.create_task(turns.run(one)) for one in (*greedy, *others)]
        await asyncio.sleep(0)
        try:
            assert [one.waits for one in greedy] == 2 * [False] + 4 * [True]
            assert [one.waits for one in others] == [False, False]
        finally:
            gate.opens.set()
        await asyncio.gather(*asked)

    run(ask())


def test_a_free_thread_keeps_nothing_of_its_last_request() -> None:
    async def ask() -> None:
        turns, work = Turns(1), Gate()
        work.opens.set()
        gone = weakref.ref(work)
        await turns.run(turn(work))
        del work
        await asyncio.to_thread(eventually, lambda: gone() is None)

    run(ask())
