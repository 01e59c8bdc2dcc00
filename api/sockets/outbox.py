"""What a socket has not read yet, and an end to it: who doesn't read is cut off, and harms nobody."""

from collections.abc import Callable
from typing import Any

import engineio

# Bytes that may wait for one client, beside what the kernel holds (door.py): minutes of the fastest reply.
MAX_UNSENT = 1024 * 1024
# Bytes; about what a packet takes in memory beside its text.
_PACKET = 500


class Outbox:
    """One socket's queue, which knows the size of what was put in and is not sent yet."""

    def __init__(self, queue: Any) -> None:
        self._queue = queue
        self._waiting = self._being_sent = 0
        self.task_done, self.join = queue.task_done, queue.join

    @property
    def unsent(self) -> int:
        """Bytes, roughly."""
        return self._waiting + self._being_sent

    def put(self, packet: Any) -> None:
        """Never waits."""
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
    """The library's transport, with such queues; `cut` is called with the id of a socket whose queue is full."""

    cut: Callable[[str], None]

    def create_queue(self, *args: Any, **kwargs: Any) -> Outbox:
        """Called by the library for each socket."""
        return Outbox(super().create_queue(*args, **kwargs))

    def send_packet(self, sid: str, pkt: Any) -> None:
        """Put it into the socket's queue, if the socket is there and reads."""
        socket = self.sockets.get(sid)
        if socket is None or socket.closing or socket.closed:
            return
        socket.send(pkt)
        if socket.queue.unsent > MAX_UNSENT:
            self.cut(sid)
