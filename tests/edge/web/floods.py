"""Hostile clients by the hundred: they send nothing, or drip, or do not read."""

import contextlib
import select
import socket
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from tests.edge.web.web_server import WebServer, request
from tests.eventually import eventually

# Seconds between two drops of each dripping client.
_DRIP = 0.2
_LONG_BODY = request("/chats", "", "Content-Type: application/json", "Content-Length: 2000", method="POST")


@contextmanager
def flood(web: WebServer, *, idle: int = 0, dripping: int = 0, unread: int = 0, page: bytes = b"") -> Iterator[None]:
    """While the block runs, this many clients send nothing, drip their heads and bodies, or do not read `page`.

    The block begins once all the pages are made, because that is work, and no wait for a slow client.
    """
    with ExitStack() as stack:
        dripped = [web.connect(begun) for begun in (b"GET / HTTP/1.1\r\nX: ", _LONG_BODY) for _ in range(dripping // 2)]
        readers = [web.connect(page, room=4096) for _ in range(unread)]
        others = [web.connect() for _ in range(idle)] + readers
        for client in dripped + others:
            stack.enter_context(client)
        over = threading.Event()
        thread = threading.Thread(target=_drip, args=(dripped, over))
        thread.start()
        stack.callback(thread.join)
        stack.callback(over.set)
        eventually(lambda: len(_with_an_answer(readers)) == unread, within=60)
        yield


def _with_an_answer(clients: list[socket.socket]) -> list[socket.socket]:
    """The clients whose answers have begun to come, or whose connections have ended."""
    poll = select.poll()
    for client in clients:
        poll.register(client, select.POLLIN)
    return [client for client in clients if client.fileno() in dict(poll.poll(0))]


def _drip(clients: list[socket.socket], over: threading.Event) -> None:
    while not over.wait(_DRIP):
        for client in clients:
            with contextlib.suppress(OSError):  # the server has dropped this one
                client.send(b"1")
