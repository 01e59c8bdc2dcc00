"""The HTTP side of the socket server: the request that opens a socket, and the two health checks."""

import logging
from collections.abc import Callable, Iterable
from typing import Any

import socketio

from api.sockets.pulse import Pulse
from api.sockets.server import TRANSPORT, Server

log = logging.getLogger("realtime")

_JSON = ("Content-Type", "application/json")
# No browser guesses a type, and no cache keeps an answer.
_HEADERS = [_JSON, ("Cache-Control", "no-store"), ("X-Content-Type-Options", "nosniff")]
_FULL = [*_HEADERS, ("Retry-After", "5")]

App = Callable[[dict[str, Any], Any], Iterable[bytes]]


def wsgi_app(server: Server, pulse: Pulse, most: int) -> App:
    """Serves sockets, GET /healthz and GET /readyz. /readyz fails while no event of the channel arrives here."""
    app = socketio.WSGIApp(server, _health(pulse))

    def guarded(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        # Compression would take 100 KB for each socket, and half of the time of sending
        environ.pop("HTTP_SEC_WEBSOCKET_EXTENSIONS", None)
        if environ["PATH_INFO"].startswith("/socket.io") and len(server.eio.sockets) >= most:
            start_response("503 Service Unavailable", _FULL)
            return [b'{"status":"full"}']
        return _closing_on_failure(server, app, environ, start_response)

    return guarded


def _closing_on_failure(server: Server, app: App, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
    """Close a socket that sends unreadable bytes. The library would print them and forget the socket."""
    try:
        return app(environ, start_response)
    except Exception as error:  # noqa: BLE001 - the bytes of a client caused it
        log.warning("realtime.bad_packet: %s; the server closed the socket that sent it", type(error).__name__)
        server.cut(environ.get(TRANSPORT, ""))
        return []


def _health(pulse: Pulse) -> App:
    def answer(environ: dict[str, Any], start_response: Any) -> list[bytes]:
        fine, deaf = ("200 OK", b'{"status":"ok"}'), ("503 Service Unavailable", b'{"status":"deaf"}')
        answers = {"/healthz": fine, "/readyz": fine if pulse.ready else deaf}
        status, body = answers.get(environ["PATH_INFO"], ("404 Not Found", b"{}"))
        start_response(status, _HEADERS)
        return [body]

    return answer
