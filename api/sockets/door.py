"""The listening socket. It limits the number of connections, and the time that one may stay without a token.

The transport library has neither limit: a client that never sends a valid token could stay for ever.
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

# Connections that may wait until the server accepts them. After a restart, all clients come at once.
_BACKLOG = 4096
# Bytes that the kernel may hold for a client that does not read. By default they grow to megabytes (D-51).
_SEND_BUFFER = 128 * 1024
# Connections beside the sockets: for health checks, and for clients that get the answer "full".
SPARE = 200
# Open files that are no client's connection: the log, Redis, libraries.
_OTHER_FILES = 100
# Seconds before the next try after a connection could not be accepted, for example for lack of open files.
_NO_FILES_PAUSE = 0.1
_FULL = b"HTTP/1.1 503 Service Unavailable\r\nRetry-After: 5\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"


def open_port(settings: Settings) -> socket.socket:
    """The listening socket. Raises OSError if another process has the port.

    Two processes may have it if both set HOLDFAST_SHARE_REALTIME_PORT.
    """
    listener = socket.create_server(
        (settings.host, settings.realtime_port), backlog=_BACKLOG, reuse_port=settings.share_realtime_port
    )
    # accepted sockets inherit both options
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _SEND_BUFFER)
    return listener


def most_sockets(settings: Settings) -> int:
    """The most sockets that this process takes. Raises the limit of open files as far as the system allows.

    The result is HOLDFAST_MAX_SOCKETS, or fewer if the limit of open files leaves room for fewer.
    """
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    possible = settings.max_sockets if hard == resource.RLIM_INFINITY else hard - SPARE - _OTHER_FILES
    if possible < settings.max_sockets:
        log.warning("realtime.few_files: the limit of open files (%d) leaves room for %d sockets", hard, possible)
    return min(settings.max_sockets, possible)


class Door:
    """Accepts connections for the server. `places` returns how many more the server can take."""

    def __init__(self, listener: socket.socket, patience: float, places: Callable[[], int]) -> None:
        self._listener, self._patience, self._places = listener, patience, places
        self._doubted: dict[socket.socket, float] = {}  # connections without a token, in the order of their deadlines

    def __getattr__(self, name: str) -> Any:
        return getattr(self._listener, name)

    def accept(self) -> tuple[socket.socket, Any]:
        """The next connection. Without room for it, the client gets a 503 at once."""
        while True:
            try:
                connection, address = self._listener.accept()
            except OSError as error:
                log.warning("realtime.not_accepted: %s; the server tries again in %g s", error, _NO_FILES_PAUSE)
                time.sleep(_NO_FILES_PAUSE)
                continue
            if self._places() > 1:
                self.doubt(connection)
                return connection, address
            with contextlib.suppress(OSError):
                connection.send(_FULL)
            connection.close()

    def doubt(self, connection: socket.socket) -> None:
        """Start this connection's time limit for showing a token."""
        self._doubted.pop(connection, None)
        self._doubted[connection] = time.monotonic() + self._patience

    def trust(self, connection: socket.socket) -> None:
        """End the time limit of this connection, because the client has shown a valid token."""
        self._doubted.pop(connection, None)

    def reap(self) -> None:
        """Drop the connections that showed no token in time. Dropping one that has ended already does nothing."""
        now = time.monotonic()
        while self._doubted and (connection := next(iter(self._doubted))) and self._doubted[connection] <= now:
            del self._doubted[connection]
            drop(connection)


def drop(connection: socket.socket) -> None:
    """End a connection at once, and discard its unsent data. A thread that reads or writes it wakes up."""
    with contextlib.suppress(OSError):
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        connection.shutdown(socket.SHUT_RDWR)
