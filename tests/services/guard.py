"""All processes that a test run starts end with it, even if pytest is killed with -9.

A small process (guard_process.py) outlives pytest by a moment. Each service writes its process group to a pipe. When
the pipe closes, that process ends the groups and removes the folders of the run.
"""

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from types import TracebackType
from typing import Self

from tests.services.nursery import Nursery

_PROCESS = Path(__file__).with_name("guard_process.py")
# Files here never wait for a disk, which would take milliseconds for each commit of SQLite (D-139).
_MEMORY, _ROOM = Path("/dev/shm"), 1 << 30


class Guard:
    """The pipe to that process, and the folders that the process will remove. `memory` is for files that are synced."""

    def __enter__(self) -> Self:
        # A short path, because a Unix socket's path may have 107 bytes only
        self.folder = Path(tempfile.mkdtemp(prefix="hf", dir="/tmp"))
        self.folder.chmod(0o711)  # PostgreSQL runs as another user, in its own folder below this one
        reader, self.pipe = os.pipe()
        self.memory = Path(tempfile.mkdtemp(prefix="hf", dir=_MEMORY)) if _has_room(_MEMORY) else self.folder
        command = [sys.executable, str(_PROCESS), str(self.folder), str(self.memory)]
        self._process = subprocess.Popen(command, stdin=reader, start_new_session=True)
        os.close(reader)
        self.nurseries = {kind: Nursery(kind) for kind in ("threads", "green")}
        return self

    def forget(self, group: int) -> None:
        """Tell the guard that this group has ended. The system may give its number to another process."""
        os.write(self.pipe, b"-%d KILL\n" % group)

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        for nursery in self.nurseries.values():
            nursery.close()
        os.close(self.pipe)
        self._process.wait(180)  # the guard needs no second on an idle machine


def _has_room(folder: Path) -> bool:
    return folder.is_dir() and shutil.disk_usage(folder).free > _ROOM
