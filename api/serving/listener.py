"""The listening socket of the API: many clients may wait in the system's queue, and few are accepted at a time."""

import socket
from multiprocessing import reduction
from typing import Any, Self

from shared.network.listening import has_gone

#: Connections that the event loop accepts before it goes on with those that it has (D-185).
AT_ONCE = 8
# Clients that have gone already, in the same time. The event loop takes ten times as long for each that it gets.
_GONE_AT_ONCE = 50


class Listener(socket.socket):
    """A socket that listens already, and keeps the length of its queue.

    asyncio has one number for two things: the length of the system's queue, and how many connections it accepts in a
    row. With a queue for thousands it would accept thousands, while all other clients wait.
    """

    @classmethod
    def of(cls, listening: socket.socket) -> Self:
        """Take this socket over."""
        return cls(fileno=listening.detach())

    def listen(self, *_: Any) -> None:
        """Do nothing. asyncio would make the queue as short as the number that it accepts in a row."""

    def accept(self) -> tuple[socket.socket, Any]:
        """The next client that is still there. Raises BlockingIOError if none is, or after many that have gone."""
        for _ in range(_GONE_AT_ONCE):
            connection, address = super().accept()
            if not has_gone(connection):
                return connection, address
            connection.close()
        raise BlockingIOError


def _reduced(listener: Listener) -> Any:
    return _rebuilt, (reduction.DupFd(listener.fileno()),)


def _rebuilt(file: Any) -> Listener:
    return Listener(fileno=file.detach())


reduction.register(Listener, _reduced)  # each process of HOLDFAST_WEB_WORKERS gets the socket from the first one
