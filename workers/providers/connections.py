"""Connections to a model's server that another thread can end at any moment, even before the answer has begun.

The HTTP library names a request's socket only once the headers of the answer have arrived. So each connection notes its
user itself: every request begins with a write, in the thread that asked (D-72).
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

from workers.providers import BeforeWait, CutBy

log = logging.getLogger(__name__)

# The callbacks of the request that this thread makes just now.
_asking = threading.local()


@contextmanager
def asking(cut_by: CutBy, before_read: BeforeWait) -> Iterator[None]:
    """Inside the block, requests of this thread pass `cut_by` a function that ends their connection.

    They call `before_read` before each read.
    """
    _asking.cut_by, _asking.before_read = cut_by, before_read
    try:
        yield
    finally:
        _asking.cut_by = _asking.before_read = None


def make_cuttable(client: httpx2.Client) -> None:
    """Make all new connections of this client note their user, with or without a proxy (D-72)."""
    for transport in (client._transport, *client._mounts.values()):
        if isinstance(transport, httpx2.HTTPTransport):  # the library has no public way to set a backend
            transport._pool._network_backend = _Backend(transport._pool._network_backend)


class _Backend(httpcore2.NetworkBackend):
    def __init__(self, real: httpcore2.NetworkBackend) -> None:
        self._real = real

    def connect_tcp(self, *args: Any, **options: Any) -> "_Connection":
        return _Connection(self._real.connect_tcp(*args, **options))

    def connect_unix_socket(self, *args: Any, **options: Any) -> "_Connection":
        return _Connection(self._real.connect_unix_socket(*args, **options))


class _Connection(httpcore2.NetworkStream):
    """One socket. The pool gives it to one request after another, so its user changes."""

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
        with self._real.get_extra_info("socket").dup() as same:  # the handshake empties the socket object
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
            if self._user is not user:  # another request uses the connection by now
                return
            try:  # shutting the socket wakes the reading thread; close() would leave it asleep until the next byte
                used.shutdown(socket.SHUT_RDWR)
            except OSError:
                log.debug("model.abort: the connection was closed already")
