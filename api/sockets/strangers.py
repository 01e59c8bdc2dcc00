"""The connections that have shown no valid token yet. They may wait only so long, and only so many of one address."""

import contextlib
import socket
import struct
import time

from api.sockets.tally import TALLY
from shared.network.addresses import network_of


class Strangers:
    """Of too many strangers the oldest leaves: an honest client shows its token within a moment (D-97)."""

    def __init__(self, patience: float, most: int) -> None:
        self._patience, self._most = patience, most
        # Each connection with its deadline and its address, in the order of the deadlines.
        self._waiting: dict[socket.socket, tuple[float, str]] = {}
        self._of_address: dict[str, dict[socket.socket, None]] = {}

    def __len__(self) -> int:
        return len(self._waiting)

    def add(self, connection: socket.socket) -> None:
        """Start this connection's time limit for showing a token. Drops the oldest one of a crowded address."""
        self.remove(connection)
        address = _address(connection)
        if len(neighbours := self._of_address.get(address, {})) >= self._most:
            TALLY.note("crowded", "an address had too many connections without a token; the server dropped the oldest")
            self._drop(next(iter(neighbours)))
        self._of_address.setdefault(address, {})[connection] = None
        self._waiting[connection] = (time.monotonic() + self._patience, address)

    def remove(self, connection: socket.socket) -> None:
        """End the time limit of this connection."""
        _, address = self._waiting.pop(connection, (0.0, None))
        if address is not None:
            del self._of_address[address][connection]
            if not self._of_address[address]:
                del self._of_address[address]

    def reap(self) -> None:
        """Drop the connections that showed no token in time. Dropping one that has ended already does nothing."""
        now = time.monotonic()
        while self._waiting and (oldest := next(iter(self._waiting))) and self._waiting[oldest][0] <= now:
            self._drop(oldest)

    def drop_oldest(self) -> bool:
        """Drop one connection to make room for another. Returns whether there was one."""
        if not self._waiting:
            return False
        TALLY.note("full", "the server had no room; it dropped the oldest connections without a token")
        self._drop(next(iter(self._waiting)))
        return True

    def _drop(self, connection: socket.socket) -> None:
        self.remove(connection)
        drop(connection)


def _address(connection: socket.socket) -> str:
    try:
        return network_of(connection.getpeername()[0])
    except OSError:  # the connection has ended already
        return ""


def drop(connection: socket.socket) -> None:
    """End a connection at once, and discard its unsent data. A thread that reads or writes it wakes up."""
    with contextlib.suppress(OSError):
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        connection.shutdown(socket.SHUT_RDWR)
