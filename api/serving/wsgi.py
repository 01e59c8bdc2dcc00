"""The WSGI app behind uvicorn. It gets whole requests, and no thread waits for a client.

An answer is whole too, if its length is known. Any other answer comes in pieces. A thread makes the next piece once the
client has taken the one before (D-164).
"""

import asyncio
import io
import logging
import sys
import threading
from collections.abc import Awaitable, Callable, Iterable, Iterator
from contextlib import suppress
from functools import partial
from typing import Any, NamedTuple
from urllib.parse import unquote_to_bytes

from api.http.errors import problem
from api.http.headers import protect
from api.serving.turn import Turn, WorkFailed
from api.serving.turns import Turns
from shared.errors.base import HoldfastError
from shared.errors.server import RequestGivenUp

log = logging.getLogger("web")

Scope = dict[str, Any]
Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]
WsgiApp = Callable[[dict[str, Any], Any], Iterable[bytes]]
Headers = list[tuple[bytes, bytes]]

# The headers that CGI names without HTTP_. The size of the body is known by now, however it came.
_OWN_NAMES = {b"content-type": "CONTENT_TYPE", b"content-length": None, b"transfer-encoding": None}
# Characters of an address in the log.
_LONGEST_NAME = 100
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
        threading.Thread(target=self._turns.watch, name="request-watch", daemon=True).start()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            answer = await self._answer(scope, receive)
        except asyncio.CancelledError:  # the drain ends, or the client has gone
            answer = _refusal(RequestGivenUp())
        except HoldfastError as error:
            answer = _refusal(error)
        except Exception as error:
            log.exception(
                "request.given_up: %s; the server answered 503", _name(scope), exc_info=error.__cause__ or error
            )
            answer = _refusal(RequestGivenUp())
        if answer:
            await send({"type": "http.response.start", "status": answer.status, "headers": answer.headers})
            if answer.pieces:
                await self._send_pieces(scope, answer.pieces, receive, send)
            await send({"type": "http.response.body", "body": answer.body})

    async def _answer(self, scope: Scope, receive: Receive) -> Answer | None:
        body = await _whole_body(receive)
        if body is None:
            return None
        environ = _environ(scope, body)
        turn = Turn(self._caller(environ), _name(scope), partial(_run, self._app, environ))
        scope["state"] |= {"turn": turn, "caller": turn.caller}  # the connection abandons it if the client goes
        try:
            return await self._turns.run(turn)
        finally:
            del scope["state"]["turn"]  # else body and answer would stay in memory as long as the connection

    async def _send_pieces(self, scope: Scope, pieces: Iterator[bytes], receive: Receive, send: Send) -> None:
        """Make and send the pieces, unless the client goes away. A failure ends the connection before the end."""
        gone = asyncio.ensure_future(receive())  # the request is whole, so nothing else can come
        try:
            while not gone.done() and (piece := await self._next_of(scope, pieces)):
                await send({"type": "http.response.body", "body": piece, "more_body": True})
                await send({"type": "http.response.body", "body": b"", "more_body": True})  # waits for the client
        finally:
            gone.cancel()
            with suppress(ValueError):  # a thread still makes a piece, and nobody will take it
                getattr(pieces, "close", lambda: None)()

    async def _next_of(self, scope: Scope, pieces: Iterator[bytes]) -> bytes | None:
        try:
            return await self._turns.run(Turn(scope["state"]["caller"], _name(scope), partial(next, pieces, None)))
        except WorkFailed as error:
            raise error.__cause__ or error from None


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


def _run(app: WsgiApp, environ: dict[str, Any]) -> Answer:
    started: list[Any] = []
    parts = app(environ, lambda status, headers, _failure=None: started.extend((status, headers)))
    status, headers = started[-2:]
    code, sent = int(status[:3]), _encoded(headers)
    if code not in _WITHOUT_BODY and not any(name == "Content-Length" for name, _ in headers):
        return Answer(code, sent, b"", _closing(parts))
    return Answer(code, sent, b"".join(_closing(parts)))


def _closing(parts: Iterable[bytes]) -> Iterator[bytes]:
    try:
        yield from parts
    finally:
        getattr(parts, "close", lambda: None)()


def _refusal(error: HoldfastError) -> Answer:
    answer = protect(problem(error))
    return Answer(answer.status_code, _encoded([*answer.headers, ("Connection", "close")]), answer.get_data())


def _encoded(headers: Iterable[tuple[str, str]]) -> Headers:
    kept = [(name, value) for name, value in headers if name != "Date"]  # uvicorn sends one with every answer
    return [(name.encode("latin-1"), value.encode("latin-1")) for name, value in kept]


def _name(scope: Scope) -> str:
    """The request's name in the log: no query, for that may have a client's text."""
    return f"{scope['method']} {scope['raw_path'][:_LONGEST_NAME].decode('ascii', 'replace')}"
