"""`python -m tests.edge.sockets.flooder PORT KIND COUNT [TOKEN]` floods `realtime` until its standard input ends.

It is a process of its own, so that its work does not slow the clients whose lag a test measures.
"""

import base64
import json
import select
import socket
import sys
import time
from collections import Counter
from collections.abc import Callable

# Bytes of one write, roughly, and seconds between two writes of one socket: it sends 1 MB/s.
_WRITE = 32 * 1024
_PAUSE = _WRITE / 1e6

_KEY = base64.b64encode(bytes(16)).decode()
HELLO = (
    "GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\nHost: flood\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
    f"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {_KEY}\r\n\r\n"
).encode()


def frame(payload: str | bytes, first: int = 0x81) -> bytes:
    """A client's frame. `first` is its first byte; by default, the frame is a whole text message."""
    data = payload.encode() if isinstance(payload, str) else payload
    size = bytes([0x80 | len(data)]) if len(data) < 126 else b"\xfe" + len(data).to_bytes(2)
    return bytes([first]) + size + bytes(4) + data


def event(name: str, data: object, acknowledged: str = "") -> bytes:
    return frame(f"42{acknowledged}" + json.dumps([name, data]))


#: Clients of this kind come and go, and send nothing.
STORM = "storm"
#: The frames that a socket sends for ever, by the kind of flood. A pair begins with something that it sends once.
KINDS: dict[str, Callable[[str], bytes | tuple[bytes, bytes]]] = {
    "pongs of the transport": lambda token: frame("3"),
    "events": lambda token: frame('42["x"]'),
    "events with other names": lambda token: b"".join(event(f"x{number}", number) for number in range(1000)),
    "empty fragments": lambda token: (frame("", 0x01), frame("", 0x00)),
    "endless fragments": lambda token: (frame("42", 0x01), frame("x" * 1000, 0x00)),
    "pings": lambda token: frame("x" * 125, 0x89),
    "pongs": lambda token: frame("", 0x8A),
    "refreshes": lambda token: event("auth.refresh", {"token": token}, "1"),
    "bad refreshes": lambda token: event("auth.refresh", {"token": "x" * 60_000}, "1"),
    "tokens": lambda token: frame("40" + json.dumps({"token": token})),
    "bad tokens": lambda token: frame('40{"token":"a.b.c"}'),
    "namespaces": lambda token: b"".join(frame(f"40/n{number},") for number in range(1000)),
    "leaving and coming": lambda token: frame("41") + frame("40" + json.dumps({"token": token})),
    "acknowledgements": lambda token: frame("431[1]"),
    "large messages": lambda token: frame("42" + json.dumps(["x", *([{}] * 15_000)])),
    "binary parts": lambda token: (frame('459-["x",{"_placeholder":true,"num":0}]'), frame(bytes(1000), 0x82)),
    "upgrades": lambda token: frame("5"),
}


def frames_of(kind: str, token: str) -> tuple[bytes, bytes]:
    """The frames that a socket sends once, and those that it then sends for ever."""
    what = KINDS[kind](token) if kind != STORM else b""
    return what if isinstance(what, tuple) else (b"", what)


class Client:
    """One socket that sends, and never reads. It comes back when the server ends it."""

    def __init__(self, port: int, kind: str, token: str, counts: Counter[str]) -> None:
        self._port, self._counts = port, counts
        once, again = frames_of(kind, token)
        admit = frame("40" + json.dumps({"token": token})) if token else b""
        self._start, self._again = admit + once, again * max(1, _WRITE // max(1, len(again)))
        self._connect()

    def turn(self) -> None:
        """Send as much as the server takes, once it has answered the handshake."""
        try:
            if not self._open:
                self._open = bool(self._socket.recv(64))
                self._counts["bytes"] += len(HELLO)
            self._send()
            if not self._again:
                raise ConnectionAbortedError
        except BlockingIOError:
            return
        except OSError:
            self._counts["ended"] += 1
            self._socket.close()
            self._connect()

    def _send(self) -> None:
        sent = self._socket.send(self._left or self._again)
        self._counts["bytes"] += sent
        self._left = (self._left or self._again)[sent:]

    def _connect(self) -> None:
        self._socket, self._open, self._left = socket.socket(), False, self._start
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _WRITE)
        self._socket.connect(("127.0.0.1", self._port))
        self._socket.sendall(HELLO)
        self._socket.setblocking(False)
        self._counts["connections"] += 1


def flood(port: int, kind: str, count: int, token: str) -> Counter[str]:
    """Flood until standard input ends. Returns what was sent."""
    counts: Counter[str] = Counter()
    clients = [Client(port, kind, token, counts) for _ in range(count)]
    rounds = time.monotonic()
    while not select.select([sys.stdin], [], [], max(0.0, rounds - time.monotonic()))[0]:
        silent = not counts["bytes"]
        for client in clients:
            client.turn()
        if silent and counts["bytes"]:
            print("floods", flush=True)
        rounds = max(rounds + _PAUSE, time.monotonic() - 1)
    return counts


if __name__ == "__main__":
    print(json.dumps(flood(int(sys.argv[1]), sys.argv[2], int(sys.argv[3]), "".join(sys.argv[4:]))), flush=True)
