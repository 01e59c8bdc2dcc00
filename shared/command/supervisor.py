"""Keeps programs running until it is told to stop. It restarts a program that died, and none outlives it.

This module uses the standard library only, so that the supervisor stays small beside its programs.
"""

import os
import signal
import subprocess
import threading
import time
from collections.abc import Mapping
from contextlib import suppress
from typing import IO, Any, Self

# Seconds before a program that died is restarted. Each further death doubles them, until one run lasts HEALTHY seconds.
FIRST_WAIT, LONGEST_WAIT, HEALTHY = 0.5, 30.0, 60.0
# Each program leads a session of its own, with a guard process in it. The guard reads a pipe that only the supervisor
# can write to. When the supervisor dies, even by SIGKILL, the pipe ends. The guard then kills the whole group.
LAUNCH = "exec 3<&0 </dev/null 2>&1; ( (read -r _ <&3; kill -KILL 0) >/dev/null 2>&1 & ); exec 3<&-; exec {}"


class Supervisor:
    """Starts programs in batches. When its block ends, it stops them, the last batch first."""

    def __init__(self, environment: Mapping[str, str], grace: float) -> None:
        self.environment = environment
        self.grace = grace  # seconds from SIGTERM to SIGKILL
        self.stopping = threading.Event()
        self.lifeline, self._held = os.pipe()
        self._batches: list[list[_Keeper]] = []
        self._colours: dict[str, int] = {}

    def __enter__(self) -> Self:
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            if number != signal.SIGHUP or signal.getsignal(number) != signal.SIG_IGN:  # nohup has it ignored
                signal.signal(number, self._on_signal)
        return self

    def _on_signal(self, number: int, _frame: Any) -> None:
        self.stopping.set()
        if number == signal.SIGINT:  # a second Ctrl-C ends the supervisor at once; the guards then end the programs
            signal.signal(number, signal.SIG_DFL)

    def start(self, commands: Mapping[str, str]) -> None:
        self._batches.append([_Keeper(self, *program) for program in commands.items()])
        for keeper in self._batches[-1]:
            keeper.start()

    def say(self, text: str, source: str = "holdfast") -> None:
        """Print a line under its source's name."""
        label, colour = f"{source:<8} |", self._colours.setdefault(source, 32 + len(self._colours) % 5)
        if os.isatty(1):
            label = f"\033[{colour}m{label}\033[0m"
        try:
            os.write(1, f"{label} {text}\n".encode())  # one call for each line, so that lines do not mix
        except BrokenPipeError:  # the reader of the output has gone
            self.stopping.set()
        except OSError:  # a full disk under a log file is no reason to stop
            pass

    def __exit__(self, *_: Any) -> None:
        self.stopping.set()
        for batch in reversed(self._batches):
            for keeper in batch:
                keeper.end(signal.SIGTERM)
            deadline = time.monotonic() + self.grace
            for keeper in batch:
                keeper.join(max(0.0, deadline - time.monotonic()))
                keeper.end(signal.SIGKILL)
                keeper.join()


class _Keeper(threading.Thread):
    """Keeps one program running."""

    def __init__(self, supervisor: Supervisor, name: str, command: str) -> None:
        super().__init__(name=name, daemon=True)
        self.supervisor, self.command = supervisor, command
        self.process: subprocess.Popen[bytes] | None = None

    def run(self) -> None:
        wait, stopping = 0.0, self.supervisor.stopping
        while not stopping.is_set():
            began = time.monotonic()
            code = self._run_once()
            if not stopping.is_set():
                healthy = time.monotonic() - began >= HEALTHY
                wait = min(wait * 2, LONGEST_WAIT) if wait and not healthy else FIRST_WAIT
                self.supervisor.say(f"{self.name} ended ({code}); starting it again in {wait:g} s")
                stopping.wait(wait)

    def _run_once(self) -> int | OSError:
        launch, boss = ["/bin/sh", "-c", LAUNCH.format(self.command)], self.supervisor
        pipes: dict[str, Any] = {"stdin": boss.lifeline, "stdout": subprocess.PIPE}
        try:
            process = subprocess.Popen(launch, env=boss.environment, start_new_session=True, **pipes)
        except OSError as error:  # for example for lack of memory: try again later
            return error
        self.process = process
        if boss.stopping.is_set():  # the signal came while the program started
            process.terminate()
        relay = threading.Thread(target=self._relay, args=[process.stdout], daemon=True)
        relay.start()
        code = process.wait()
        self.end(signal.SIGKILL)  # ends the guard, and the children of a program that was killed
        self.process = None
        relay.join(1.0)
        return code

    def _relay(self, output: IO[bytes]) -> None:
        for line in output:
            self.supervisor.say(line.decode(errors="replace").rstrip(), self.name)

    def end(self, number: signal.Signals) -> None:
        """Send SIGTERM to the program, which ends its own children, or SIGKILL to the whole group."""
        with suppress(ProcessLookupError, PermissionError):  # macOS refuses to signal a group of zombies
            if process := self.process:
                (os.killpg if number == signal.SIGKILL else os.kill)(process.pid, number)
