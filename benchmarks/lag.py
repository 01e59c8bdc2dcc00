"""`python -m benchmarks.lag`: the lag of a chunk, with 20 to 1,000 replies at once. README.md says more."""

import asyncio
import gc
import sys
from collections import Counter
from contextlib import ExitStack

import aiohttp

from benchmarks.lab.load import STREAM, Load, Result, Side, percentile
from benchmarks.lab.model import Plan
from benchmarks.lab.processes import BOTH_CORES, LOAD_CORE, SYSTEM_CORE, Processes, free_port, pin
from benchmarks.lab.systems import Holdfast, run_folder, start_model
from benchmarks.sockets import raise_file_limit

LONG = Plan(chunks=250, first=500, every=40)
#: Loads, and the target for the 99th percentile of the lag, in milliseconds. Three hundred short replies are more than
#: one core can do, because each conversation asks again every 2.5 s.
ONE_CORE = {
    Load(20, STREAM, seconds=8.0): 15,
    Load(100, STREAM, seconds=8.0): 150,
    Load(300, LONG, seconds=8.0): 500,
    Load(300, STREAM, seconds=8.0): 500,
}
SLOW = Plan(chunks=20, first=5_000, every=2_000)
TWO_CORES = {Load(1_000, SLOW, seconds=0.0): 1_500}
# The threads of a worker, and the number of workers.
FEW, MANY = (320, 1), (520, 2)


def main() -> int:
    """Print a table. It asserts nothing."""
    raise_file_limit()
    print(
        "| at once | of chunks | cores | lag p50 / p99, ms | target p99 | replies | lost or failed |\n"
        + "|---" * 7
        + "|"
    )
    run(ONE_CORE, SYSTEM_CORE, LOAD_CORE, *FEW)
    run(TWO_CORES, BOTH_CORES, BOTH_CORES, *MANY)
    return 0


def run(
    loads: dict[Load, int], cores: frozenset[int], load_cores: frozenset[int], threads: int, processes: int
) -> None:
    """Start a system for these loads, on cores of its own."""
    pin(load_cores)
    with ExitStack() as stack:
        folder = stack.enter_context(run_folder())
        model = Processes(folder, load_cores)
        stack.callback(model.stop)
        system = Holdfast(
            folder / "ours",
            start_model(model, free_port()),
            cores,
            HOLDFAST_WORKER_THREADS=str(threads),
            HOLDFAST_WORKER_PROCESSES=str(processes),
        )
        stack.callback(system.processes.stop)
        system.start()
        asyncio.run(measure(Side(system), loads, "both, with the load" if cores == load_cores else "one"))


async def measure(side: Side, loads: dict[Load, int], cores: str) -> None:
    """Print a line for each load."""
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0, force_close=True)) as http:
        await side.open_conversations(http, max(load.at_once for load in loads))
        gc.freeze()
        gc.disable()  # the collector's pauses would count as lag
        for load, target in loads.items():
            await side.put_under(load)
            show(load, cores, side.results[load], target)


def show(load: Load, cores: str, result: Result, target: int) -> None:
    """Print one line of the table, and the problems."""
    lag = " / ".join(f"{1000 * percentile(result.lag, percent):.1f}" for percent in (50, 99))
    problems = Counter(reply.problem for reply in result.replies if reply.problem)
    cells = (load.at_once, load.plan.chunks, cores, lag, f"≤ {target}", len(result.replies), problems.total())
    print("| " + " | ".join(map(str, cells)) + " |", flush=True)
    for problem, times in problems.most_common(3):
        print(f"    {times} x {problem[:300]}")


if __name__ == "__main__":
    sys.exit(main())
