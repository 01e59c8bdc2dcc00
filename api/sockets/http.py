"""The HTTP side of the socket server: the way in to a socket, and the two health checks."""

import logging
from collections.abc import Callable, Iterable
from typing import Any

import socketio

from api.sockets.pulse import Pulse
from api.sockets.server import TRANSPORT, Server

log = logging.getLogger("realtime")

_JSON = ("Content-Type", "application/json")
_FULL = [_JSON, ("Retry-After", "5")]

App = Callable[[dict[str, Any], Any], Iterable[bytes]]


def wsgi_app(server: Server, pulse: Pulse, most: int) -> App:
    """Sockets, GET /healthz and GET /readyz, which fails while this process hears nothing from the channel."""
    app = socketio.WSGIApp(server, _health(pulse))

    def guarded(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        # Compression costs 100 KB a socket and half of the sending
        environ.pop("HTTP_SEC_WEBSOCKET_EXTENSIONS", None)
        if environ["PATH_INFO"].startswith("/socket.io") and len(server.eio.sockets) >= most:
            start_response("503 Service Unavailable", _FULL)
            return [b'{"status":"full"}']
        return _without_a_trace(server, app, environ, start_response)

    return guarded


def _without_a_trace(server: Server, app: App, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
    """What the transport can't read ends that transport; the library would print it and forget the socket."""
    try:
        return app(environ, start_response)
    except Exception as error:  # noqa: BLE001 - it comes from bytes that a client sent
        log.warning("realtime.bad_packet: %s", type(error).__name__)
        server.cut(environ.get(TRANSPORT, ""))
        return []


def _health(pulse: Pulse) -> App:
    def answer(environ: dict[str, Any], start_response: Any) -> list[bytes]:
        fine, deaf = ("200 OK", b'{"status":"ok"}'), ("503 Service Unavailable", b'{"status":"deaf"}')
        answers = {"/healthz": fine, "/readyz": fine if pulse.ready else deaf}
        status, body = answers.get(environ["PATH_INFO"], ("404 Not Found", b"{}"))
        start_response(status, [_JSON])
        return [body]

    return answer
