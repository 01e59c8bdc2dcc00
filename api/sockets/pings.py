"""The pings of all sockets. The library would give each ping a thread, which keeps a socket for 25 s after its end.

A client that only comes and goes would leave thousands of such sockets. The collector of Python then stops all threads
while it looks at them (D-130).
"""

import time
from collections.abc import Iterator
from typing import Any


class Pings:
    """Knows when the next ping of each socket is due."""

    def __init__(self, every: float) -> None:
        self._every = every
        # The time of each socket's next ping, in the order of the times.
        self._due: dict[str, float] = {}

    def plan(self, socket: Any) -> None:
        """Plan the socket's next ping, unless one is planned already: a client may send pongs that nobody asked for."""
        if socket.last_ping:
            socket.last_ping = None
            self._due[socket.sid] = time.monotonic() + self._every

    def forget(self, sid: str) -> None:
        """Plan no ping for a socket that has ended."""
        self._due.pop(sid, None)

    def due(self) -> Iterator[str]:
        """The ids of the sockets whose time has come. None of them is planned any more."""
        now = time.monotonic()
        while self._due and (sid := next(iter(self._due))) and self._due[sid] <= now:
            del self._due[sid]
            yield sid
