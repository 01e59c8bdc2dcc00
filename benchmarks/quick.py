"""`python -m benchmarks.quick`: one table in under three minutes. It asserts nothing. README.md says more."""

import asyncio
import gc
import signal
import sys
from contextlib import ExitStack

import aiohttp

from benchmarks.lab import table
from benchmarks.lab.load import LOADS, WARM_UP, Side
from benchmarks.lab.processes import LOAD_CORE, TWO_CORES, Processes, free_port, pin
from benchmarks.lab.systems import Direct, Holdfast, System, run_folder, start_model

TURNS = 2  # runs of each load; the two systems alternate, so that a busy machine affects both


def main() -> None:
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda number, _: sys.exit(128 + number))
    if not TWO_CORES:
        print("One core only: the system shares it with the load, so all of this is worse than it would be.")
    pin(LOAD_CORE)
    with ExitStack() as stack:
        folder = stack.enter_context(run_folder())
        model = Processes(folder, LOAD_CORE)
        stack.callback(model.stop)
        model_url = start_model(model, free_port())
        systems: list[System] = [Direct(folder / "direct", model_url), Holdfast(folder / "ours", model_url)]
        for system in systems:
            stack.callback(system.processes.stop)
            system.start()
        asyncio.run(measure(*map(Side, systems)))


async def measure(direct: Side, ours: Side) -> None:
    await ours.measure_idle()
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0, force_close=True)) as http:
        await direct.open_conversations(http)
        await ours.open_conversations(http)
        gc.freeze()
        gc.disable()  # the collector's pauses would count as lag
        for load in [WARM_UP, *(load for load in LOADS for _ in range(TURNS))]:
            await direct.put_under(load)
            await ours.put_under(load)
    table.show(direct, ours)


if __name__ == "__main__":
    main()
