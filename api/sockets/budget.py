"""The budget of a socket. Each read of its connection costs, so that no client can keep the server busy (D-95)."""

import socket
import time
from collections.abc import Callable

#: Bytes of one message of a client. A client sends nothing but its token.
MAX_MESSAGE = 64 * 1024

# The cost of one read beside its bytes. A frame takes two to four reads, whether it is a message, a fragment or a ping.
_READ = 512
# The budget of a socket at once, and the part that comes back in a second. This allows one message of the largest size,
# or about 80 small ones at once and 5 a second later. A client needs one every 25 s.
_BURST, _RATE = 128 * 1024, 8 * 1024
# The same before its token. A client sends its token and nothing else, which takes about 2 KiB (D-187).
_FIRST_BURST, _FIRST_RATE = 16 * 1024, 2 * 1024
# The part that a socket may spend before all other green threads run. Otherwise a client that always sends would stop
# them. A message with a token stays below this.
_TURN = 2560


class Flood(Exception):
    """The client sends more than it may."""


class Budget:
    """Bytes to spend at once, and bytes that come back each second."""

    def __init__(self, burst: int, rate: int) -> None:
        self._burst, self._rate = burst, rate
        self._left, self._at = float(burst), time.monotonic()

    def pay(self, cost: int) -> float:
        """Spend so many bytes. Returns the seconds until the budget has as many again, 0 if it has them."""
        now = time.monotonic()
        self._left = min(self._burst, self._left + (now - self._at) * self._rate) - cost
        self._at = now
        return max(0.0, -self._left / self._rate)


class Metered:
    """A connection with a budget for reading. The rest is as it was.

    `share` lets a client without a token pay from what all such clients of its address have together. It returns the
    seconds to wait until they have so much, and None for a client that has shown its token.
    """

    def __init__(self, connection: socket.socket, share: Callable[[int], float | None]) -> None:
        self._share, self._receive = share, connection.recv
        self.sendall, self.settimeout = connection.sendall, connection.settimeout
        self.shutdown, self.close = connection.shutdown, connection.close
        self._first, self._own, self._spent = Budget(_FIRST_BURST, _FIRST_RATE), Budget(_BURST, _RATE), 0

    def recv(self, size: int) -> bytes:
        """Read, and pay for it. Raises Flood if the budget is used up."""
        data = self._receive(size)
        self._pay(_READ + len(data))
        return data

    def _pay(self, cost: int) -> None:
        wait = self._share(cost)
        if (self._own if wait is None else self._first).pay(cost):
            raise Flood
        self._spent += cost
        if wait or self._spent >= _TURN:
            self._spent = 0
            time.sleep(wait or 0)
