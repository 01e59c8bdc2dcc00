"""A slow way to a Redis on a Unix socket."""

import socket
import threading
import time
from contextlib import suppress
from typing import Self


class SlowProxy:
    """Forwards the client's bytes at once, and the server's bytes `late` seconds later."""

    def __init__(self, behind: str, late: float) -> None:
        self._behind, self._late = behind, late
        self._open: list[socket.socket] = []

    def __enter__(self) -> Self:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"redis://127.0.0.1:{self._listener.getsockname()[1]}"
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        for each in (self._listener, *self._open):
            _end(each)

    def _accept(self) -> None:
        with suppress(OSError):  # the listener has closed
            while True:
                client, _ = self._listener.accept()
                server = socket.socket(socket.AF_UNIX)
                server.connect(self._behind)
                self._open += [client, server]
                for source, sink, late in ((client, server, 0.0), (server, client, self._late)):
                    threading.Thread(target=_pump, args=[source, sink, late], daemon=True).start()


def _pump(source: socket.socket, sink: socket.socket, late: float) -> None:
    with suppress(OSError):
        while piece := source.recv(65536):
            time.sleep(late)
            sink.sendall(piece)
    _end(source)
    _end(sink)


def _end(each: socket.socket) -> None:
    with suppress(OSError):
        each.shutdown(socket.SHUT_RDWR)
    each.close()
