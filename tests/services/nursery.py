"""Starts programs by a fork of one process that has imported their packages already (Linux only).

A worker needs two seconds of a core to start, and most of that is the import of other people's packages. A test run
starts a hundred programs. A nursery imports nothing of ours, so each program still imports all of its own modules.

The nursery of the kind "green" has let eventlet replace the sockets. It forks many socket servers (D-140). Only
tests/e2e and the tests of `holdfast up` start `realtime` as a user of ours does. They test its own order of imports.
"""

import json
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Mapping
from pathlib import Path

from tests.services.nursery_process import REQUEST

_ROOT = Path(__file__).parents[2]


class Nursery:
    """The process that forks, started with the first program. It ends with the test process."""

    def __init__(self, kind: str = "threads") -> None:
        self._kind, self._lock = kind, threading.Lock()
        self._codes: dict[int, int] = {}
        self._process: subprocess.Popen[bytes] | None = None

    def start(self, words: list[str], environment: Mapping[str, str], out: int, errors: int, guard: int) -> "Fork":
        """Run `python -m WORDS` as the leader of a process group that the guard knows. `out` and `errors` are files."""
        with self._lock:
            if not self._process:
                self._open()
            request = {"words": words, "environment": dict(environment), "folder": str(Path.cwd())}
            socket.send_fds(self._channel, [json.dumps(request).encode()], [out, errors, guard])
            while "born" not in (told := self._next()):
                self._codes[told["died"]] = told["code"]
            return Fork(told["born"], self)

    def code(self, pid: int) -> int | None:
        """The exit code of this program, as subprocess tells it, or None while the program lives."""
        with self._lock:
            while pid not in self._codes:
                try:
                    told = self._next(socket.MSG_DONTWAIT)
                except BlockingIOError:
                    break
                self._codes[told["died"]] = told["code"]
            return self._codes.get(pid)

    def bury(self, pid: int) -> int:
        """Wait for the end of this program. Afterwards the system may give its number to another process."""
        with self._lock:
            while pid not in self._codes:
                told = self._next()
                self._codes[told["died"]] = told["code"]
            self._channel.send(json.dumps({"bury": pid}).encode())
            return self._codes.pop(pid)

    def close(self) -> None:
        if self._process:
            self._channel.close()
            self._process.wait()

    def _open(self) -> None:
        self._channel, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            command = [sys.executable, "-u", "-m", "tests.services.nursery_process", self._kind]
            self._process = subprocess.Popen(command, stdin=theirs, cwd=_ROOT)

    def _next(self, flags: int = 0) -> dict[str, int]:
        told = self._channel.recv(REQUEST, flags)
        assert told, "The nursery has ended."
        return json.loads(told)


class Fork:
    """A program of the nursery. It has the part of subprocess.Popen that tests use."""

    def __init__(self, pid: int, nursery: Nursery) -> None:
        self.pid, self._nursery = pid, nursery
        self.returncode: int | None = None

    def poll(self) -> int | None:
        if self.returncode is None:
            self.returncode = self._nursery.code(self.pid)
        return self.returncode

    def wait(self) -> int:
        """Wait for the end, and let the system forget the process."""
        self.returncode = self._nursery.bury(self.pid)
        return self.returncode

    def send_signal(self, number: signal.Signals) -> None:
        if self.poll() is None:
            os.kill(self.pid, number)
