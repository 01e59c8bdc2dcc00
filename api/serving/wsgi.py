"""The WSGI app behind uvicorn. It gets whole requests, and no thread waits for a client.

An answer is whole too, if its length is known. Any other answer comes in pieces. A thread makes the next piece once the
client has taken the one before (D-956).
"""

import asyncio
import io
import sys
from collections.abc import Awaitable, Callable, Iterable, Iterator
from contextlib import suppress
from functools import partial
from typing import Any, NamedTuple
from urllib.parse import unquote_to_bytes

from api.serving.turns import Turns

Scope = dict[str, Any]
Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]
WsgiApp = Callable[[dict[str, Any], Any], Iterable[bytes]]
Headers = list[tuple[bytes, bytes]]

# The headers that CGI names without HTTP_. The size of the body is known by now, however it came.
_OWN_NAMES = {b"content-type": "CONTENT_TYPE", b"content-length": None, b"transfer-encoding": None}
# Statuses of answers that have no length because they have no body.
_WITHOUT_BODY = (204, 304)


class Answer(NamedTuple):
    """An answer of the WSGI app: whole, or with `pieces` that are still to be made."""

    status: int
    headers: Headers
    body: bytes
    pieces: Iterator[bytes] | None = None


class Whole:
    """An ASGI app. It runs the WSGI app in a thread once the whole request is here."""

    def __init__(self, app: WsgiApp, threads: int, caller: Callable[[dict[str, Any]], str]) -> None:
        self._app, self._turns, self._caller = app, Turns(threads), caller

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        body = await _whole_body(receive)
        if body is None:
            return
        environ = _environ(scope, body)
        caller = self._caller(environ)
        answer = await self._turns.run(caller, partial(_answer, self._app, environ))
        await send({"type": "http.response.start", "status": answer.status, "headers": answer.headers})
        if answer.pieces:
            await self._send_pieces(caller, answer.pieces, receive, send)
        await send({"type": "http.response.body", "body": answer.body})

    async def _send_pieces(self, caller: str, pieces: Iterator[bytes], receive: Receive, send: Send) -> None:
        """Make and send the pieces, unless the client goes away. A failure ends the connection before the end."""
        gone = asyncio.ensure_future(receive())  # the request is whole, so nothing else can come
        try:
            while not gone.done() and (piece := await self._turns.run(caller, partial(next, pieces, None))):
                await send({"type": "http.response.body", "body": piece, "more_body": True})
                await send({"type": "http.response.body", "body": b"", "more_body": True})  # waits for the client
        finally:
            gone.cancel()
            with suppress(ValueError):  # a thread still makes a piece, and nobody will take it
                getattr(pieces, "close", lambda: None)()


async def _whole_body(receive: Receive) -> bytes | None:
    """None if the client went away before the end."""
    parts = []
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            return None
        parts.append(message["body"])
        if not message["more_body"]:
            return b"".join(parts)


def _environ(scope: Scope, body: bytes) -> dict[str, Any]:
    server, client = scope["server"] or ("", None), scope["client"] or ("", None)
    environ = {
        "REQUEST_METHOD": scope["method"],
        "SCRIPT_NAME": "",  # a header of this name counts for nothing
        "PATH_INFO": unquote_to_bytes(scope["raw_path"]).decode("latin-1"),
        "QUERY_STRING": scope["query_string"].decode("latin-1"),
        "SERVER_PROTOCOL": f"HTTP/{scope['http_version']}",
        "SERVER_NAME": server[0],
        "SERVER_PORT": str(server[1]),
        "REMOTE_ADDR": client[0],
        "CONTENT_LENGTH": str(len(body)),
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": scope["scheme"],
        "wsgi.input": io.BytesIO(body),
        "wsgi.input_terminated": True,
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": True,
        "wsgi.multiprocess": True,
        "wsgi.run_once": False,
    }
    for name, value in scope["headers"]:
        _add_header(environ, name, value.decode("latin-1"))
    return environ


def _add_header(environ: dict[str, Any], name: bytes, value: str) -> None:
    if b"_" in name:  # with it, `X_Forwarded_For` would have the same key as `X-Forwarded-For`
        return
    key = _OWN_NAMES.get(name, "HTTP_" + name.decode("latin-1").upper().replace("-", "_"))
    if key:
        between = "; " if name == b"cookie" else ","
        environ[key] = f"{environ[key]}{between}{value}" if key in environ else value


def _answer(app: WsgiApp, environ: dict[str, Any]) -> Answer:
    started: list[Any] = []
    parts = app(environ, lambda status, headers, _failure=None: started.extend((status, headers)))
    status, headers = started[-2:]
    code = int(status[:3])
    kept = [(name, value) for name, value in headers if name != "Date"]  # uvicorn sends one with every answer
    sent = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in kept]
    if code not in _WITHOUT_BODY and not any(name == "Content-Length" for name, _ in headers):
        return Answer(code, sent, b"", _closing(parts))
    return Answer(code, sent, b"".join(_closing(parts)))


def _closing(parts: Iterable[bytes]) -> Iterator[bytes]:
    try:
        yield from parts
    finally:
        getattr(parts, "close", lambda: None)()
