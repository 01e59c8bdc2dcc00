"""Connections to a model's server that another thread can end at any moment, before the answer has begun too.

The HTTP library tells which socket a request uses only once it has the answer's headers. So the sockets are told
who uses them: each request begins with a write, in the thread that asked.
"""

import logging
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

import httpcore2
import httpx2

from workers.providers import CutBy, Waits

log = logging.getLogger(__name__)

# Whose request this thread makes just now.
_asking = threading.local()


@contextmanager
def asking(cut_by: CutBy, before_read: Waits) -> Iterator[None]:
    """Requests of this thread inside the block tell `cut_by` how to end their connection, and call `before_read`."""
    _asking.cut_by, _asking.before_read = cut_by, before_read
    try:
        yield
    finally:
        _asking.cut_by = _asking.before_read = None


def make_cuttable(client: httpx2.Client) -> None:
    """Have all new connections of this client, through a proxy or not, tell who uses them."""
    for transport in (client._transport, *client._mounts.values()):
        if isinstance(transport, httpx2.HTTPTransport):  # has no public way to be given a backend
            transport._pool._network_backend = _Backend(transport._pool._network_backend)


class _Backend(httpcore2.NetworkBackend):
    def __init__(self, real: httpcore2.NetworkBackend) -> None:
        self._real = real

    def connect_tcp(self, *args: Any, **options: Any) -> "_Connection":
        return _Connection(self._real.connect_tcp(*args, **options))

    def connect_unix_socket(self, *args: Any, **options: Any) -> "_Connection":
        return _Connection(self._real.connect_unix_socket(*args, **options))


class _Connection(httpcore2.NetworkStream):
    """One socket; from hand to hand with each request that the pool gives it."""

    def __init__(self, real: httpcore2.NetworkStream) -> None:
        self._real = real
        self._lock = threading.Lock()
        self._user: CutBy | None = None
        self.close = real.close  # type: ignore[method-assign]
        self.get_extra_info = real.get_extra_info  # type: ignore[method-assign]

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        if before_read := getattr(_asking, "before_read", None):
            before_read()
        return self._real.read(max_bytes, timeout)

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._note_user(self._real.get_extra_info("socket"))
        self._real.write(buffer, timeout)

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> "_Connection":
        with self._real.get_extra_info("socket").dup() as same:  # the handshake takes the socket's number away
            self._note_user(same)
            return _Connection(self._real.start_tls(ssl_context, server_hostname, timeout))

    def _note_user(self, used: socket.socket) -> None:
        user: CutBy | None = getattr(_asking, "cut_by", None)
        if user is self._user:
            return
        with self._lock:
            self._user = user
        if user:
            user(partial(self._abort, user, used))

    def _abort(self, user: CutBy, used: socket.socket) -> None:
        with self._lock:
            if self._user is not user:  # it has gone on to another request since
                return
            try:  # close() would leave the reading thread asleep until the next byte; a shut socket wakes it at once
                used.shutdown(socket.SHUT_RDWR)
            except OSError:
                log.debug("model.abort: the connection was closed already")
