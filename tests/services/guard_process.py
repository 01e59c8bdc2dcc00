"""Ends the process groups of a test run, and removes its folders: `python guard_process.py FOLDER...`. See guard.py."""

import os
import shutil
import signal
import sys
import time


def main(*folders: str) -> None:
    groups: dict[int, signal.Signals] = {}
    for line in sys.stdin:
        group, name = line.split()
        if int(group) > 0:
            groups[int(group)] = signal.Signals[f"SIG{name}"]
        else:
            groups.pop(-int(group), None)
    deadline = time.monotonic() + 10  # on a busy machine, PostgreSQL needs seconds to clean up
    while groups and time.monotonic() < deadline:
        groups = {group: number for group, number in groups.items() if _signal(group, number)}
        time.sleep(0.02)
    for group in groups:
        _signal(group, signal.SIGKILL)
    for folder in folders:
        shutil.rmtree(folder, ignore_errors=True)


def _signal(group: int, number: signal.Signals) -> bool:
    """Send the signal. Tells whether the group still had a process."""
    try:
        os.killpg(group, number)
    except (ProcessLookupError, PermissionError):  # macOS raises PermissionError for a group of zombies
        return False
    return True


if __name__ == "__main__":
    main(*sys.argv[1:])
