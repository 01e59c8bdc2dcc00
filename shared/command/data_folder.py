"""The data folder: its lock allows one run at a time, and it keeps the secrets of all runs."""

import fcntl
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from click import ClickException


@contextmanager
def only_run_in(folder: Path) -> Iterator[None]:
    """Make the folder and hold its lock. The system frees the lock when this process ends, even by SIGKILL."""
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        lock = (folder / "holdfast.lock").open("a+")
    except OSError as error:
        raise ClickException(
            f"The data folder {folder} can't be used ({error.strerror}):"
            " make it writable, or set HOLDFAST_DATA_DIR to another."
        ) from error
    with lock:
        _take(lock.fileno(), folder)
        yield


def _take(lock: int, folder: Path) -> None:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        holder = os.pread(lock, 20, 0).decode()
        raise ClickException(
            f"Holdfast already runs with the data folder {folder} (process {holder}): stop that one first."
        ) from None
    os.ftruncate(lock, 0)
    os.write(lock, str(os.getpid()).encode())


def kept_secret(path: Path, size: int) -> str:
    """A random secret of `size` bytes, made at the first call and readable by its owner only."""
    if not path.exists():
        new = path.with_suffix(".new")
        new.touch(mode=0o600)
        new.write_text(secrets.token_urlsafe(size))
        new.rename(path)  # a run that is killed before this leaves no empty secret
    return path.read_text()
