"""The listening socket. It limits the number of connections.

The transport library has no such limit, nor one for the time that a connection may stay without a token
(`strangers.py`).
"""

import contextlib
import logging
import socket
import time
from collections.abc import Callable
from typing import Any

from api.sockets.strangers import Strangers
from api.sockets.tally import TALLY
from shared.network.listening import has_gone, listen
from shared.network.open_files import room_for
from shared.settings import Settings

log = logging.getLogger("realtime")

# Connections that may wait until the server accepts them. After a restart, all clients come at once.
_BACKLOG = 4096
# Bytes that the kernel may hold for a client that does not read. By default they grow to megabytes (D-51).
_SEND_BUFFER = 128 * 1024
# Bytes that the kernel may hold of a client while the server does not read them. A client sends little (D-95).
_RECEIVE_BUFFER = 64 * 1024
# Connections that the server accepts before other green threads run. Otherwise a thousand at once would stop them.
_AT_ONCE = 4
# Connections beside the sockets: for health checks, and for clients that get the answer "full".
SPARE = 200
# Open files that are no client's connection: the log, Redis, libraries.
_OTHER_FILES = 100
# Seconds before the next try after a connection could not be accepted, for example for lack of open files.
_NO_FILES_PAUSE = 0.1
_FULL = b"HTTP/1.1 503 Service Unavailable\r\nRetry-After: 5\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"


def open_port(settings: Settings) -> socket.socket:
    """The listening socket. Raises SettingsError if another process has the port.

    Two processes may have it if both set HOLDFAST_SHARE_REALTIME_PORT.
    """
    reuse = settings.share_realtime_port
    listener = listen(settings.host, settings.realtime_port, "REALTIME_PORT", backlog=_BACKLOG, reuse=reuse)
    # accepted sockets inherit these options
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _SEND_BUFFER)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _RECEIVE_BUFFER)
    return listener


def most_sockets(settings: Settings) -> int:
    """HOLDFAST_MAX_SOCKETS, or fewer if the limit of open files is lower. Raises SettingsError if it is far too low."""
    return room_for(settings.max_sockets, SPARE + _OTHER_FILES, "HOLDFAST_MAX_SOCKETS")


class Door:
    """Accepts connections for the server. `places` returns how many more the server can take."""

    def __init__(self, listener: socket.socket, strangers: Strangers, places: Callable[[], int]) -> None:
        self._listener, self._strangers, self._places = listener, strangers, places
        self._accepted = 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self._listener, name)

    def accept(self) -> tuple[socket.socket, Any]:
        """The next connection. Without room for it, a stranger leaves; without a stranger, the client gets a 503."""
        while True:
            self._accepted += 1
            if self._accepted % _AT_ONCE == 0:
                time.sleep(0)
            try:
                connection, address = self._listener.accept()
            except OSError as error:
                TALLY.note("not_accepted", f"{error}; the server tries again in {_NO_FILES_PAUSE:g} s")
                time.sleep(_NO_FILES_PAUSE)
                continue
            if has_gone(connection):
                connection.close()
                continue
            if self._places() > 1 or self._strangers.drop_oldest():
                self._strangers.add(connection)
                return connection, address
            with contextlib.suppress(OSError):
                connection.send(_FULL)
            connection.close()

    def forget(self, connection: socket.socket) -> None:
        """Note that a connection has ended."""
        self._strangers.remove(connection)
