"""A client that behaves, beside clients that flood. It measures how late its events and its health checks are."""

import http.client
import json
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Self
from uuid import uuid4

from tests.eventually import eventually, patience
from tests.fair_clock import CLOCK
from tests.realtime.socket_server import SocketServer


class Witness:
    """An admitted socket, entered when it hears. Its times are seconds of the fair clock."""

    def __init__(self, server: SocketServer) -> None:
        self.lags: list[float] = []
        self.checks: list[float] = []
        self._server, self._user = server, uuid4().hex

    def __enter__(self) -> Self:
        self._raw = self._server.let_in(self._user, lifetime=3600).__enter__()
        self.hears()
        return self

    def __exit__(self, *_: object) -> None:
        self._raw.__exit__()

    def hears(self) -> float:
        """The lag of one event."""
        mark = uuid4().hex
        began = time.time()
        self._server.publish((self._user, "mark", {"mark": mark}))
        while mark not in (frame := self._raw.receive()):
            assert frame, "the server closed the witness's socket"
            if frame == "2":
                self._raw.send("3")
        return CLOCK.between(began, time.time())

    def measure(self, rounds: int) -> None:
        """Take the lag of so many events, and the time of a health check after each fourth."""
        self.lags, self.checks = [], []
        for number in range(rounds):
            self.lags.append(self.hears())
            if number % 4 == 0:
                self.checks.append(self._check())

    def was_served_within(self, lag: float, check: float) -> None:
        """All but the latest of a hundred events and checks came in these times."""
        assert _late(self.lags) <= lag, sorted(self.lags)[-5:]
        assert _late(self.checks) <= check, sorted(self.checks)[-5:]

    def _check(self) -> float:
        began = time.time()
        connection = http.client.HTTPConnection(*address(self._server), timeout=patience(10))
        connection.request("GET", "/healthz")
        assert json.loads(connection.getresponse().read()) == {"status": "ok"}
        connection.close()
        return CLOCK.between(began, time.time())


def address(server: SocketServer) -> tuple[str, int]:
    """The host and the port of a server."""
    return "127.0.0.1", int(server.environment["REALTIME_PORT"])


def _late(times: list[float]) -> float:
    """The 99th percentile. Of a few times, the second worst."""
    return sorted(times)[-max(2, len(times) // 100)]


@contextmanager
def flooding(server: SocketServer, kind: str, count: int, token: str) -> Iterator[None]:
    """Let a process flood the server, from its first connection until the block ends."""
    command = [sys.executable, "-m", "tests.edge.sockets.flooder", str(address(server)[1]), kind, str(count), token]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdin
        assert process.stdout
        assert process.stdout.readline() == b"floods\n"
        yield
        sent = json.loads(process.communicate(timeout=patience(10))[0])
    assert sent["bytes"] > 0, "it sent nothing"
    eventually(lambda: process.returncode == 0)
