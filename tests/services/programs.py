"""Runs the Procfile's real programs as a deployment does, with the environment that a test gives."""

import contextlib
import itertools
import os
import random
import socket
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Self

import httpx2
from redis import Redis

from shared.command.up import read_procfile
from tests.eventually import eventually, patience
from tests.run.holdfast import holdfast
from tests.services.guard import Guard
from tests.services.service import Service

ROOT = Path(__file__).parents[2]


def _ports() -> Iterator[int]:
    """The ports of this process, again and again from a random one. Up to ten processes have ranges of their own."""
    process = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw")) % 10
    own = range(20_000 + 1_000 * process, 21_000 + 1_000 * process)
    first = random.randrange(1_000)
    return itertools.cycle([*own[first:], *own[:first]])


_PORTS = _ports()


class Programs:
    """web, realtime, worker and sweeper. A test may kill, freeze and start one again, such as `programs["worker"]`."""

    def __init__(self, guard: Guard, name: str, environment: Mapping[str, str], *, green: bool = False) -> None:
        """With `green`, a nursery starts `realtime` too, and quickly. Without, `realtime` starts as for a user."""
        ports = {"PORT": str(free_port()), "REALTIME_PORT": str(free_port())}
        self._guard = guard
        self.environment = {**bare_environment(), **ports, **environment}
        self.url = f"http://127.0.0.1:{self.environment['PORT']}"
        self.realtime_url = f"http://127.0.0.1:{self.environment['REALTIME_PORT']}"
        self._services = {
            program: Service(
                guard, f"{name}-{program}", command, environment=self.environment, green=green and program == "realtime"
            )
            for program, command in read_procfile(ROOT / "Procfile").items()
        }

    def __enter__(self) -> Self:
        with contextlib.ExitStack() as stack:
            for service in self._services.values():
                stack.enter_context(service)
            self.wait_until_ready()
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        for service in self._services.values():
            service.ask_to_end()
        self._stack.close()

    def __getitem__(self, name: str) -> Service:
        return self._services[name]

    def another(self, name: str, **environment: str) -> Service:
        """One more process of this program, beside the first. Enter it to start it."""
        first = self._services[name]
        return Service(self._guard, f"{first.name}-2", first.command, environment=self.environment | environment)

    def wait_until_ready(self) -> None:
        """Wait until all programs run, web and realtime answer, and a worker asks for work."""
        eventually(lambda: self._healthy(self.url) and self._healthy(self.realtime_url), within=30)
        eventually(self._worker_is_consuming, within=30)

    def holdfast(self, *words: str) -> None:
        """Run this command beside the programs, as an operator does."""
        done = holdfast(self._guard, list(words), self.environment)
        assert done.returncode == 0, done.stderr

    @property
    def logs(self) -> str:
        return "\n".join(f"=== {name}\n{service.log}" for name, service in self._services.items())

    def _healthy(self, url: str) -> bool:
        self._all_must_live()
        with contextlib.suppress(httpx2.TransportError):
            return httpx2.get(f"{url}/healthz", timeout=patience(2)).status_code == 200
        return False

    def _worker_is_consuming(self) -> bool:
        self._all_must_live()
        with Redis.from_url(self.environment["REDIS_URL"], decode_responses=True) as redis:
            return any(redis.scan_iter("*__heartbeats__*"))

    def _all_must_live(self) -> None:
        for service in self._services.values():
            service.must_live()


def bare_environment() -> dict[str, str]:
    """The machine's environment without any of our settings, and with the tests' own Python first on the PATH."""
    kept = {name: os.environ[name] for name in ("HOME", "LANG", "LC_ALL", "TMPDIR", "TZ") if name in os.environ}
    here = str(Path(sys.executable).parent)
    return {**kept, "PATH": f"{here}:{os.environ['PATH']}", "PYTHONUNBUFFERED": "1"}


def free_port() -> int:
    """A port of this process's own, below the range of outgoing connections. So nobody takes it before a program does.

    A test may end a program and start it again, so each port is given once before any of them comes again.
    """
    for port in _PORTS:
        with contextlib.suppress(OSError), socket.create_server(("127.0.0.1", port)):
            return port
    raise AssertionError("unreachable: the ports never end")
