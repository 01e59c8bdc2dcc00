"""The connections that have shown no valid token yet. Those of one address have one limit and one budget."""

import contextlib
import socket
import struct
import threading
import time
from weakref import WeakSet

from api.sockets.budget import Budget
from api.sockets.tally import TALLY
from shared.network.addresses import network_of

# Bytes that all strangers of one address may send at once, and in each second. A thousand a second may show a token.
_BURST, _RATE = 128 * 1024, 2 * 1024 * 1024
# Seconds that a stranger waits at most for this budget with each read. Showing a token takes four reads (D-200).
_LONGEST_WAIT = 0.25


class Neighbours:
    """The strangers of one address, the oldest first, and their budget."""

    def __init__(self) -> None:
        self.connections: dict[socket.socket, None] = {}
        self.budget = Budget(_BURST, _RATE, _LONGEST_WAIT)


class Strangers:
    """Of too many strangers the oldest leaves: an honest client shows its token within a moment (D-97)."""

    def __init__(self, patience: float, most: int) -> None:
        self._patience, self._most = patience, most
        # Each connection with its deadline and its address, in the order of the deadlines.
        self._waiting: dict[socket.socket, tuple[float, str]] = {}
        self._of_address: dict[str, Neighbours] = {}
        self._dropped = WeakSet[socket.socket]()
        self._resting: dict[socket.socket, threading.Event] = {}

    def __len__(self) -> int:
        return len(self._waiting)

    def add(self, connection: socket.socket) -> None:
        """Start this connection's time limit for showing a token. Drops the oldest one of a crowded address."""
        self.remove(connection)
        address = _address(connection)
        neighbours = self._of_address.get(address)
        if neighbours and len(neighbours.connections) >= self._most:
            TALLY.note("crowded", "an address had too many connections without a token; the server dropped the oldest")
            self._drop(next(iter(neighbours.connections)))
        self._of_address.setdefault(address, Neighbours()).connections[connection] = None
        self._waiting[connection] = (time.monotonic() + self._patience, address)

    def remove(self, connection: socket.socket) -> None:
        """End the time limit of this connection."""
        _, address = self._waiting.pop(connection, (0.0, None))
        if address is not None:
            del self._of_address[address].connections[connection]
            if not self._of_address[address].connections:
                del self._of_address[address]

    def budget_of(self, connection: socket.socket) -> Budget | None:
        """The budget that this stranger shares with those of its address; None if the connection is no stranger."""
        _, address = self._waiting.get(connection, (0.0, None))
        return None if address is None else self._of_address[address].budget

    def has_dropped(self, connection: socket.socket) -> bool:
        """Whether this connection had to leave. The system may still have bytes of it."""
        return connection in self._dropped

    def rest(self, connection: socket.socket, seconds: float) -> None:
        """Let the thread of this connection wait so long, or until the connection is dropped (D-200)."""
        if connection not in self._dropped:
            waking = self._resting[connection] = threading.Event()
            waking.wait(seconds)
            self._resting.pop(connection, None)

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
        self._dropped.add(connection)
        drop(connection)
        if waking := self._resting.get(connection):
            waking.set()


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
