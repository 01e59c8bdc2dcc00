"""One program that a test run starts, with its log. A test may stop, kill and freeze it."""

import os
import pwd
import shlex
import signal
import subprocess
import sys
from collections.abc import Mapping
from typing import IO, Any, Self

from tests.eventually import ended
from tests.services.guard import Guard
from tests.services.nursery import Fork

# The program leads a process group. Before it begins, the guard knows the group and the signal that ends it.
_LAUNCH = "echo $$ {} >&0; exec {} </dev/null"


def identity(user: str | None) -> dict[str, Any]:
    """The options that make subprocess run a command as this user. None means our own user."""
    return {"user": user, "group": pwd.getpwnam(user).pw_gid, "extra_groups": []} if user else {}


def _forkable(command: str, green: bool) -> list[str]:
    """The words after `python -m`, if a nursery can start the command as a user of ours would; else nothing."""
    words = shlex.split(command)
    if sys.platform != "linux" or words[:2] != ["python", "-m"] or (words[2] == "api.realtime" and not green):
        return []  # realtime replaces the sockets before any other import
    return words[2:]


class Died(Exception):
    """A service ended by itself, so a test must not wait for it any longer. The message holds the service's log."""


class Service:
    """Starts on entering and ends on leaving. A test may kill, freeze and start it again in between."""

    def __init__(
        self,
        guard: Guard,
        name: str,
        command: str,
        *,
        environment: Mapping[str, str] | None = None,
        user: str | None = None,
        end: signal.Signals = signal.SIGTERM,
        grace: float = 10.0,
        green: bool = False,
    ) -> None:
        """A green program runs under eventlet, and a nursery that does so too may start it."""
        self.name = name
        self.log_file = guard.folder / f"{name}.log"
        self.command, self._guard, self._environment = command, guard, environment
        self._user, self._end, self._grace, self._green = user, end, grace, green
        self._process: subprocess.Popen[bytes] | Fork | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    def pid(self) -> int:
        assert self._process, f"{self.name} does not run"
        return self._process.pid

    @property
    def alive(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def must_live(self) -> bool:
        """True while the service runs. Otherwise an exception stops any waiting."""
        if not self.alive:
            raise Died(f"{self.name} has ended.\n{self.log}")
        return True

    @property
    def log(self) -> str:
        """All output of the service since its first start."""
        return self.log_file.read_text(errors="replace") if self.log_file.exists() else ""

    def start(self, *, instead: str = "", **environment: str) -> None:
        """Start the service. For this start only, `environment` is added, and `instead` replaces the command."""
        whole = {**(os.environ if self._environment is None else self._environment), **environment}
        command = instead or self.command
        with self.log_file.open("ab") as log:
            if words := _forkable(command, self._green):
                nursery = self._guard.nurseries["green" if self._green else "threads"]
                self._process = nursery.start(words, whole, log.fileno(), log.fileno(), self._guard.pipe)
            else:
                self._process = self._launched(command, whole, log)

    def stop(self) -> int | None:
        """End the service as its supervisor does. Returns the exit code, or None if the service had to be killed."""
        if not self._process:
            return None
        self.ask_to_end()
        try:
            return ended(self._process, self._grace)
        except AssertionError:
            return None
        finally:
            self.kill()

    def ask_to_end(self) -> None:
        if self._process:
            self._process.send_signal(signal.SIGCONT)
            self._process.send_signal(self._end)

    def kill(self) -> None:
        """Kill the service and its children with -9."""
        if self._process:
            self._signal(signal.SIGKILL)
            self._process.wait()
            self._guard.forget(self.pid)
            self._process = None

    def freeze(self) -> None:
        """Freeze the service. Its process stays, but answers nothing."""
        self._signal(signal.SIGSTOP)

    def thaw(self) -> None:
        self._signal(signal.SIGCONT)

    def _launched(self, command: str, environment: Mapping[str, str], log: IO[bytes]) -> subprocess.Popen[bytes]:
        # As a last resort the guard kills the service. PostgreSQL gets SIGQUIT instead, which leaves nothing behind.
        last = "QUIT" if self._end == signal.SIGQUIT else "KILL"
        return subprocess.Popen(
            ["/bin/sh", "-c", _LAUNCH.format(last, command)],
            stdin=self._guard.pipe,
            stdout=log,
            stderr=subprocess.STDOUT,
            cwd=self._user and "/",  # another user may not read our current folder
            env=environment,
            start_new_session=True,
            **identity(self._user),
        )

    def _signal(self, number: signal.Signals) -> None:
        try:
            os.killpg(self.pid, number)
        except (ProcessLookupError, PermissionError):  # nobody is left in the group
            return
