"""Starts, pins, measures and ends the processes of one run."""

import os
import shlex
import signal
import socket
import sys
import time
from pathlib import Path

import psutil
import requests

PATIENCE = 30.0  # seconds that a program may take to answer after its start
GRACE = 10.0  # seconds that a program may take to end

_cores = sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else []
TWO_CORES = len(_cores) > 1
BOTH_CORES = frozenset(_cores[:2])
SYSTEM_CORE, LOAD_CORE = (frozenset(_cores[:1]), frozenset(_cores[1:2])) if TWO_CORES else (BOTH_CORES, BOTH_CORES)


def pin(cores: frozenset[int]) -> None:
    """Keep the caller and its future children on these cores. Does nothing if the system cannot pin processes."""
    if cores:
        os.sched_setaffinity(0, cores)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Processes:
    """A group of programs that are started, measured and ended together. Their output goes to `folder`."""

    def __init__(self, folder: Path, cores: frozenset[int] = SYSTEM_CORE, cwd: Path | None = None) -> None:
        self.folder, self.cores, self.cwd = folder, cores, cwd
        self.roots: dict[str, psutil.Popen] = {}

    def start(self, name: str, command: str, user: str | None = None, **env: str) -> None:
        path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
        ours = frozenset(os.sched_getaffinity(0)) if self.cores else frozenset()
        pin(self.cores)
        with (self.folder / f"{name}.log").open("ab") as log:
            self.roots[name] = psutil.Popen(
                shlex.split(command),
                env={"PATH": path, "HOME": str(self.folder)} | env,
                user=user,
                cwd=self.cwd,
                stdout=log,
                stderr=log,
                start_new_session=True,  # Ctrl-C reaches the benchmark only, which then ends the programs in order
            )
        pin(ours)

    def await_url(self, url: str) -> None:
        deadline = time.monotonic() + PATIENCE
        while not _answers(url):
            dead = [name for name, root in self.roots.items() if root.poll() is not None]
            if dead or time.monotonic() > deadline:
                raise SystemExit(f"no answer from {url}; ended: {dead}\n{self.logs()}")
            time.sleep(0.05)

    def logs(self) -> str:
        return "\n".join(f"{path.name}: {path.read_text()[-2000:]}" for path in self.folder.glob("*.log"))

    def cpu_seconds(self) -> dict[str, float]:
        """User and system time of each program and its children, with those that have ended."""
        return {name: sum(map(_cpu, _tree(root))) for name, root in self.roots.items()}

    def pss(self) -> dict[str, float]:
        """Proportional memory of each program and its children, in MiB."""
        return {name: sum(map(_pss, _tree(root))) / 2**20 for name, root in self.roots.items()}

    def stop(self) -> None:
        """End the programs, the last started first. Ask each to end, then kill the rest of its tree."""
        for name, root in reversed(self.roots.items()):
            tree = _tree(root)
            root.send_signal(signal.SIGINT if name == "postgres" else signal.SIGTERM)
            _, left = psutil.wait_procs(tree, timeout=GRACE)
            for process in left:
                process.kill()
            root.wait()


def _answers(url: str) -> bool:
    try:
        return requests.get(url, timeout=1).ok
    except requests.RequestException:
        return False


def _tree(root: psutil.Process) -> list[psutil.Process]:
    return [root, *root.children(recursive=True)] if root.is_running() else []


def _cpu(process: psutil.Process) -> float:
    try:
        times = process.cpu_times()
    except psutil.NoSuchProcess:
        return 0.0  # the process has ended, and its parent counts its time
    return float(times.user + times.system + times.children_user + times.children_system)


def _pss(process: psutil.Process) -> float:
    try:
        return float(process.memory_full_info().pss)
    except psutil.NoSuchProcess:
        return 0.0
