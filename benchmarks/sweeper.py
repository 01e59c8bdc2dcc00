"""`python -m benchmarks.sweeper`: the cost of a sweep while 10,000 replies wait. README.md says more."""

import os
import time
from collections.abc import Callable
from contextlib import ExitStack
from statistics import median

from sqlalchemy import Connection, create_engine

from benchmarks.lab.backlog import add_finished, add_waiting
from benchmarks.lab.processes import BOTH_CORES, Processes
from benchmarks.lab.systems import migrate_once_it_is_up, run_folder, start_postgres, start_redis
from shared.core import create_core
from shared.database.tables import db
from shared.settings import load_settings
from workers.sweeper import sweep

WAITING, FINISHED = 10_000, 1_000_000
SWEEPS = 50


def main() -> None:
    with ExitStack() as stack:
        folder = stack.enter_context(run_folder())
        services = Processes(folder, cores=BOTH_CORES)
        stack.callback(services.stop)
        urls = {"PostgreSQL": start_postgres(services), "SQLite": f"sqlite:///{folder}/bench.db"}
        os.environ |= {"REDIS_URL": start_redis(services), "SECRET_KEY": "benchmark" * 5, "HOLDFAST_ENV": "test"}
        print(f"{WAITING:,} replies wait; ms a sweep{'finished':>13}{'median':>9}{'worst':>9}")
        for name, url in urls.items():
            _measure(name, url)


def _measure(name: str, url: str) -> None:
    migrate_once_it_is_up(url)
    fillings: dict[int, Callable[[Connection], None]] = {
        0: lambda connection: add_waiting(connection, WAITING),
        FINISHED: lambda connection: add_finished(connection, FINISHED, WAITING),
    }
    os.environ["DATABASE_URL"] = url
    with create_core(load_settings()).app_context():
        for finished, fill in fillings.items():
            engine = create_engine(url)
            with engine.begin() as connection:
                fill(connection)
            engine.dispose()
            sweep()  # makes connections and plans, and finds that its Redis is new
            times = [1000 * _timed_sweep() for _ in range(SWEEPS)]
            print(f"{name:30}{finished:>11,}{median(times):>9.1f}{max(times):>9.1f}")
        db.engine.dispose()


def _timed_sweep() -> float:
    """Wall time, so with the round trips and all that Python does; the database's own is less."""
    began = time.perf_counter()
    sweep()
    return time.perf_counter() - began


if __name__ == "__main__":
    main()
