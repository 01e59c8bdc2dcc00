"""The listening socket: how many connections are let in, and how long one may stay without saying who it is.

The transport library has neither limit: who never sends a token would stay for ever, whatever it was refused.
"""

import contextlib
import logging
import resource
import socket
import struct
import time
from collections.abc import Callable
from typing import Any

from shared.settings import Settings

log = logging.getLogger("realtime")

# Connections that may wait to be accepted, as after a restart.
_BACKLOG = 4096
# Bytes that the kernel may hold for a client that doesn't read; its own choice grows to megabytes.
_SEND_BUFFER = 128 * 1024
# Connections above the sockets: for health checks, and for those that are about to be told that it is full.
SPARE = 200
# Files that are no connection: the log, Redis, libraries.
_OTHER_FILES = 100
# Seconds before the next try when the machine has no file left for a connection.
_NO_FILES_PAUSE = 0.1
_FULL = b"HTTP/1.1 503 Service Unavailable\r\nRetry-After: 5\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"


def open_port(settings: Settings) -> socket.socket:
    """Raises OSError if somebody has it, unless both said that they share it."""
    listener = socket.create_server(
        (settings.host, settings.realtime_port), backlog=_BACKLOG, reuse_port=settings.share_realtime_port
    )
    # accepted sockets inherit both
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _SEND_BUFFER)
    return listener


def most_sockets(settings: Settings) -> int:
    """As many as set, or as the limit of open files allows once it is raised as far as it may be."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    possible = settings.max_sockets if hard == resource.RLIM_INFINITY else hard - SPARE - _OTHER_FILES
    if possible < settings.max_sockets:
        log.warning("realtime.few_files: the limit of open files (%d) leaves room for %d sockets", hard, possible)
    return min(settings.max_sockets, possible)


class Door:
    """What the server accepts connections from. `places` tells how many more it can take."""

    def __init__(self, listener: socket.socket, patience: float, places: Callable[[], int]) -> None:
        self._listener, self._patience, self._places = listener, patience, places
        self._doubted: dict[socket.socket, float] = {}  # in the order of the deadlines

    def __getattr__(self, name: str) -> Any:
        return getattr(self._listener, name)

    def accept(self) -> tuple[socket.socket, Any]:
        """The next connection for which there is room; the others are refused at once."""
        while True:
            try:
                connection, address = self._listener.accept()
            except OSError as error:
                log.warning("realtime.not_accepted: %s", error)
                time.sleep(_NO_FILES_PAUSE)
                continue
            if self._places() > 1:
                self.doubt(connection)
                return connection, address
            with contextlib.suppress(OSError):
                connection.send(_FULL)
            connection.close()

    def doubt(self, connection: socket.socket) -> None:
        """From now on it has a moment to show a token."""
        self._doubted.pop(connection, None)
        self._doubted[connection] = time.monotonic() + self._patience

    def trust(self, connection: socket.socket) -> None:
        """It has shown one."""
        self._doubted.pop(connection, None)

    def reap(self) -> None:
        """Drop those that had their moment; for one that has ended by itself it means nothing."""
        now = time.monotonic()
        while self._doubted and (connection := next(iter(self._doubted))) and self._doubted[connection] <= now:
            del self._doubted[connection]
            drop(connection)


def drop(connection: socket.socket) -> None:
    """End a connection at once, with all that waits in it; whoever reads or writes it is told."""
    with contextlib.suppress(OSError):
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        connection.shutdown(socket.SHUT_RDWR)
