"""The budget of a socket. Each read of its connection costs, so that no client can keep the server busy (D-95)."""

import math
import socket
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from api.sockets.strangers import Strangers

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
    """Bytes to spend at once, and bytes that come back each second. `longest` bounds the wait for them."""

    def __init__(self, burst: int, rate: int, longest: float = math.inf) -> None:
        self._burst, self._rate, self._most_debt = burst, rate, longest * rate
        self._left, self._at = float(burst), time.monotonic()

    def pay(self, cost: int) -> float:
        """Spend so many bytes. Returns the seconds until the budget has as many again, 0 if it has them."""
        now = time.monotonic()
        self._left = min(self._burst, self._left + (now - self._at) * self._rate) - cost
        self._left, self._at = max(self._left, -self._most_debt), now
        return max(0.0, -self._left / self._rate)


class Metered:
    """A connection with a budget for reading. A stranger also pays from the budget of its address, and waits for it."""

    def __init__(self, connection: socket.socket, strangers: "Strangers") -> None:
        self._connection, self._strangers = connection, strangers
        self.sendall, self.settimeout = connection.sendall, connection.settimeout
        self.shutdown, self.close = connection.shutdown, connection.close
        self._first, self._own, self._spent = Budget(_FIRST_BURST, _FIRST_RATE), Budget(_BURST, _RATE), 0

    def recv(self, size: int) -> bytes:
        """Read, and pay for it. Nothing more comes from a stranger that was dropped. Raises Flood if it sends too much.

        A flood costs the address nothing: its neighbours would wait for a client that is thrown out.
        """
        data = self._connection.recv(size)
        cost, shared = _READ + len(data), self._strangers.budget_of(self._connection)
        if (self._first if shared else self._own).pay(cost):
            raise Flood
        self._take_turns(cost, shared.pay(cost) if shared else 0.0)
        return b"" if self._strangers.has_dropped(self._connection) else data

    def rest(self, seconds: float) -> None:
        """Wait so long, or until this connection is dropped."""
        self._strangers.rest(self._connection, seconds)

    def _take_turns(self, cost: int, wait: float) -> None:
        self._spent += cost
        if wait:
            self.rest(wait)
        elif self._spent >= _TURN:
            time.sleep(0)
        else:
            return
        self._spent = 0
