"""All processes that a test run starts end with it, even if pytest is killed with -9.

A small process, `python guard.py FOLDER`, outlives pytest by a moment. Each service writes its process group to a pipe.
When the pipe closes, the guard ends the groups and removes the run's folder.
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
    """The pipe to that process, and the folder that the process will remove."""

    def __enter__(self) -> Self:
        # A short path, because a Unix socket's path may have 107 bytes only
        self.folder = Path(tempfile.mkdtemp(prefix="hf", dir="/tmp"))
        self.folder.chmod(0o711)  # PostgreSQL runs as another user, in its own folder below this one
        reader, self.pipe = os.pipe()
        command = [sys.executable, __file__, str(self.folder)]
        self._process = subprocess.Popen(command, stdin=reader, start_new_session=True)
        os.close(reader)
        return self

    def forget(self, group: int) -> None:
        """Tell the guard that this group has ended. The system may give its number to another process."""
        os.write(self.pipe, b"-%d KILL\n" % group)

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        os.close(self.pipe)
        self._process.wait(180)  # the guard needs one second on an idle machine


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
    """Send the signal. Tells whether the group still had a process."""
    try:
        os.killpg(group, number)
    except (ProcessLookupError, PermissionError):  # macOS raises PermissionError for a group of zombies
        return False
    return True


if __name__ == "__main__":
    main(sys.argv[1])
