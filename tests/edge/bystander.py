"""Somebody else, whose requests must not wait while a hostile client does its worst.

The bystander asks from a process of its own: `python -m tests.edge.bystander HOST PORT PATH TOKEN TIMEOUT`. Inside the
test's process, the interpreter would make it wait for the test's own clients.
"""

import http.client
import json
import math
import os
import select
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Self
from urllib.parse import urlsplit

# Seconds between an answer and the next request.
_PAUSE = 0.005


class Latencies:
    """Seconds from each request to its whole answer. A request without a good answer took for ever."""

    def __init__(self) -> None:
        self.seconds: list[float] = []
        self.problems: list[str] = []

    @property
    def p50(self) -> float:
        return self._at(0.50)

    @property
    def p99(self) -> float:
        return self._at(0.99)

    def _at(self, share: float) -> float:
        return sorted(self.seconds)[math.ceil(len(self.seconds) * share) - 1]

    def __str__(self) -> str:
        told = f"{len(self.seconds)} requests, p50 {self.p50 * 1000:.1f} ms, p99 {self.p99 * 1000:.1f} ms"
        return f"{told}, without an answer: {self.problems[:3]}" if self.problems else told


class Bystander:
    """Asks one request after the other, each on a new connection, as long as it is watched."""

    def __init__(self, url: str, path: str = "/healthz", token: str = "", timeout: float = 30.0) -> None:
        address = urlsplit(url)
        assert address.hostname
        told = [address.hostname, str(address.port), path, token, str(timeout)]
        self._command = [sys.executable, "-m", "tests.edge.bystander", *told]

    def __enter__(self) -> Self:
        root = Path(__file__).parents[2]
        self._process: subprocess.Popen[str] = subprocess.Popen(
            self._command, cwd=root, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        self.asks(1)  # the first request also waits for the process
        return self

    def __exit__(self, *_: object) -> None:
        self._process.communicate()  # the process ends when its input ends

    def asks(self, times: int) -> Latencies:
        """The latencies of this many requests."""
        with self.watched(times) as seen:
            pass
        return seen

    @contextmanager
    def watched(self, at_least: int = 100) -> Iterator[Latencies]:
        """Ask while the block runs, and longer if it ends too early. After the block, the latencies are there."""
        assert self._process.stdout
        seen = Latencies()
        self._tell("b")
        try:
            yield seen
        finally:
            self._tell(str(at_least))
            seen.seconds, seen.problems = json.loads(self._process.stdout.readline())

    def _tell(self, word: str) -> None:
        print(word, end="", file=self._process.stdin, flush=True)


def main(host: str, port: str, path: str, token: str, timeout: str) -> None:
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    while os.read(0, 1):  # "b" begins a watch, and the least number of requests ends it
        seconds, problems, least = [], [], math.inf
        while len(seconds) < least:
            began = time.perf_counter()
            problem = _ask(http.client.HTTPConnection(host, int(port), timeout=float(timeout)), path, headers)
            seconds.append(math.inf if problem else time.perf_counter() - began)
            problems += [problem] if problem else []
            if select.select([0], [], [], _PAUSE)[0] and least == math.inf:
                least = int(os.read(0, 20) or b"0")
        print(json.dumps([seconds, problems]), flush=True)


def _ask(connection: http.client.HTTPConnection, path: str, headers: dict[str, str]) -> str:
    """Empty after a good answer, otherwise the problem."""
    try:
        connection.request("GET", path, headers=headers)
        answer = connection.getresponse()
        answer.read()
    except (OSError, http.client.HTTPException) as error:
        return repr(error)
    finally:
        connection.close()
    return "" if answer.status < 400 else f"status {answer.status}"


if __name__ == "__main__":
    main(*sys.argv[1:])
