"""The unsent packets of a socket, and its pings. The server cuts off a client that does not read."""

import time
from collections.abc import Callable, Iterator
from typing import Any

import engineio

from api.sockets.strangers import Strangers
from api.sockets.tally import TALLY

#: The key of the transport's id in a connection's WSGI environment.
TRANSPORT = "holdfast.transport"
# Bytes that may wait for one client, beside those in the kernel (door.py): minutes of the fastest reply (D-51).
MAX_UNSENT = 1024 * 1024
# Bytes that a packet takes in memory beside its text, roughly.
_PACKET = 500


class Outbox:
    """One socket's queue. It knows the size of its packets that are not sent yet."""

    def __init__(self, queue: Any) -> None:
        self._queue = queue
        self._waiting = self._being_sent = 0
        self.task_done, self.join = queue.task_done, queue.join

    @property
    def unsent(self) -> int:
        """The bytes that are not sent yet, roughly."""
        return self._waiting + self._being_sent

    def put(self, packet: Any) -> None:
        """Add a packet. Never waits."""
        self._waiting += _size(packet)
        self._queue.put(packet)

    def get(self, block: bool = True, timeout: float | None = None) -> Any:
        """The next packet. A writer that waits for one has sent all that it took before."""
        if block:
            self._being_sent = 0
        packet = self._queue.get(block, timeout)
        size = _size(packet)
        self._waiting -= size
        self._being_sent += size
        return packet


def _size(packet: Any) -> int:
    if packet is None:  # the end of the queue
        return 0
    return _PACKET + (len(packet.data) if isinstance(packet.data, str | bytes) else 0)


class Transport(engineio.Server):
    """The library's transport, with an Outbox for each socket, and with our limits for the frames of clients.

    It calls `cut` with the id of a socket that is full, and `flooded` with the id of one that sends too much.
    """

    cut: Callable[[str], None]
    flooded: Callable[[str], None]
    strangers: Strangers

    def read_with(self, upgrade: type) -> None:
        """Let this class read the frames of clients, instead of the library's."""
        self._async: dict[str, Any] = {**self._async, "websocket": upgrade}

    def _log_error_once(self, message: str, message_key: str) -> None:
        # The library would log what the client sent
        TALLY.note("bad_request", f"{message_key}; the server refused it")

    def create_queue(self, *args: Any, **kwargs: Any) -> Outbox:
        """The library calls this for each new socket."""
        return Outbox(super().create_queue(*args, **kwargs))

    def send_packet(self, sid: str, pkt: Any) -> None:
        """Put the packet into the socket's queue. Does nothing for a closed socket, and cuts off a full one."""
        socket = self.sockets.get(sid)
        if socket is None or socket.closing or socket.closed:
            return
        socket.send(pkt)
        if socket.queue.unsent > MAX_UNSENT:
            self.cut(sid)


class Pings:
    """Knows when the next ping of each socket is due.

    The library would give each ping a thread, which keeps a socket for 25 s after its end. A client that only comes and
    goes would leave thousands of such sockets. Python's collector stops all threads while it looks at them (D-129).
    """

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
