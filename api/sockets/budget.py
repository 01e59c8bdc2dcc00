"""The budget of one socket. Each read of its connection costs, so that no client can keep the server busy (D-95)."""

import socket
import time

#: Bytes of one message of a client. A client sends nothing but its token.
MAX_MESSAGE = 64 * 1024

# The cost of one read beside its bytes. A frame takes two to four reads, whether it is a message, a fragment or a ping.
_READ = 512
# The budget of a socket at once, and the part that comes back in a second. This allows one message of the largest size,
# or about 80 small ones at once and 5 a second later. A client needs one every 25 s.
_BURST = 128 * 1024
_RATE = 8 * 1024
# The part that a socket may spend before all other green threads run. Otherwise a client that always sends would stop
# them. A message with a token stays below this.
_TURN = 2560


class Flood(Exception):
    """The client sends more than it may."""


class Metered:
    """A connection with a budget for reading. The rest is as it was."""

    def __init__(self, connection: socket.socket) -> None:
        self._receive = connection.recv
        self.sendall, self.settimeout = connection.sendall, connection.settimeout
        self.shutdown, self.close = connection.shutdown, connection.close
        self._left, self._at, self._spent = float(_BURST), time.monotonic(), 0

    def recv(self, size: int) -> bytes:
        """Read, and pay for it. Raises Flood if the budget is used up."""
        data = self._receive(size)
        self._pay(_READ + len(data))
        return data

    def _pay(self, cost: int) -> None:
        now = time.monotonic()
        self._left = min(_BURST, self._left + (now - self._at) * _RATE) - cost
        self._at = now
        if self._left < 0:
            raise Flood
        self._spent += cost
        if self._spent >= _TURN:
            self._spent = 0
            time.sleep(0)
