"""Whatever a test run starts ends with it, even if pytest is killed with -9.

A small process outlives pytest by a moment: each service tells it its process group down a pipe, and when
that closes it ends the groups and removes the run's folder. `python guard.py FOLDER` is that process.
"""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from types import TracebackType
from typing import Self


class Guard:
    """The pipe to that process, and the folder it will remove."""

    def __enter__(self) -> Self:
        # A short path, because that of a Unix socket may have 107 bytes only
        self.folder = Path(tempfile.mkdtemp(prefix="hf", dir="/tmp"))
        self.folder.chmod(0o711)  # PostgreSQL runs as another user, in a folder of its own below this one
        reader, self.pipe = os.pipe()
        command = [sys.executable, __file__, str(self.folder)]
        self._process = subprocess.Popen(command, stdin=reader, start_new_session=True)
        os.close(reader)
        return self

    def forget(self, group: int) -> None:
        """This group has ended; its number may be given to somebody else."""
        os.write(self.pipe, b"-%d KILL\n" % group)

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        os.close(self.pipe)
        self._process.wait(180)  # it needs a second, of a machine that is not busy


def main(folder: str) -> None:
    groups: dict[int, signal.Signals] = {}
    for line in sys.stdin:
        group, name = line.split()
        if int(group) > 0:
            groups[int(group)] = signal.Signals[f"SIG{name}"]
        else:
            groups.pop(-int(group), None)
    deadline = time.monotonic() + 1
    while groups and time.monotonic() < deadline:
        groups = {group: number for group, number in groups.items() if _signal(group, number)}
        time.sleep(0.02)
    for group in groups:
        _signal(group, signal.SIGKILL)
    shutil.rmtree(folder, ignore_errors=True)


def _signal(group: int, number: signal.Signals) -> bool:
    """Whether anybody was left to get it."""
    try:
        os.killpg(group, number)
    except (ProcessLookupError, PermissionError):  # macOS gives the latter for a group of zombies
        return False
    return True


if __name__ == "__main__":
    main(sys.argv[1])
