"""`python -m benchmarks.armour`: the cost of the guards: this version beside one without them. README.md says more."""

import asyncio
import gc
import subprocess
from contextlib import ExitStack
from pathlib import Path

import aiohttp

from benchmarks.lab.load import STREAM, STREAMS_20, STREAMS_100, WARM_UP, Load, Side
from benchmarks.lab.processes import LOAD_CORE, Processes, free_port, pin
from benchmarks.lab.systems import ROOT, Holdfast, run_folder, start_model
from benchmarks.lab.table import Figure, compare, explain, milliseconds

#: The commit before drains, stops, repeated units and the sweeper's guards.
BEFORE = "20aaf96"
TURNS = 3  # runs of each load; the two versions alternate
ALONE = Load(1, STREAM, seconds=10.0)
LOADS = (ALONE, STREAMS_20, STREAMS_100)
TARGET = "<= 1.15 x"
FIGURES = [
    Figure("accept p50 / p99, ms, alone", ALONE, lambda of: milliseconds(of.accept, 50, 99), TARGET),
    Figure("accept p50 / p99, ms, 20 at once", STREAMS_20, lambda of: milliseconds(of.accept, 50, 99), TARGET),
    Figure("accept p50 / p99, ms, 100 at once", STREAMS_100, lambda of: milliseconds(of.accept, 50, 99), TARGET),
    Figure("CPU per reply, ms, alone", ALONE, lambda of: [1000 * of.cpu_per_reply], TARGET),
    Figure("CPU per reply, ms, 20 at once", STREAMS_20, lambda of: [1000 * of.cpu_per_reply], TARGET),
    Figure("CPU per reply, ms, 100 at once", STREAMS_100, lambda of: [1000 * of.cpu_per_reply], TARGET),
]


def main() -> None:
    """Print a table. It asserts nothing."""
    pin(LOAD_CORE)
    with ExitStack() as stack:
        folder = stack.enter_context(run_folder())
        model = Processes(folder, LOAD_CORE)
        stack.callback(model.stop)
        model_url = start_model(model, free_port())
        tree = checked_out(BEFORE, folder / "tree")
        systems = [Holdfast(folder / "before", model_url, tree=tree), Holdfast(folder / "now", model_url)]
        for system in systems:
            stack.callback(system.processes.stop)
            system.start()
        asyncio.run(measure(*map(Side, systems)))


def checked_out(commit: str, folder: Path) -> Path:
    """Check the files of that version out. It runs with the packages of this version."""
    subprocess.run(["git", "clone", "--quiet", "--shared", ROOT, folder], check=True)
    subprocess.run(["git", "-C", folder, "checkout", "--quiet", commit], check=True)
    return folder


async def measure(before: Side, now: Side) -> None:
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0, force_close=True)) as http:
        for side in (before, now):
            await side.open_conversations(http)
        gc.freeze()
        gc.disable()  # its pauses would count as time to accept
        for load in [WARM_UP, *(load for load in LOADS for _ in range(TURNS))]:
            await before.put_under(load)
            await now.put_under(load)
    sides = {"before": before, "now": now}
    compare(FIGURES, sides)
    explain(LOADS, sides)


if __name__ == "__main__":
    main()
