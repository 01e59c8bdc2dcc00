"""The HTTP side of the socket server: the request that opens a socket, and the two health checks."""

from collections.abc import Callable, Iterable
from typing import Any

import msgspec
import socketio

from api.sockets.clocks import Clocks
from api.sockets.outbox import TRANSPORT
from api.sockets.pulse import Pulse
from api.sockets.server import Server

_FINE, _UNAVAILABLE = "200 OK", "503 Service Unavailable"
_JSON = ("Content-Type", "application/json")
# No browser guesses a type, and no cache keeps an answer.
_PROTECTION = [("Cache-Control", "no-store"), ("X-Content-Type-Options", "nosniff")]

App = Callable[[dict[str, Any], Any], Iterable[bytes]]


def wsgi_app(server: Server, pulse: Pulse, clocks: Clocks, is_full: Callable[[], bool]) -> App:
    """Serves sockets, GET /healthz and GET /readyz."""
    app = socketio.WSGIApp(server, _health(pulse, clocks))

    def guarded(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        def start(status: str, headers: list[tuple[str, str]]) -> Any:
            return start_response(status, [*headers, *_PROTECTION])

        # Compression would take 100 KB for each socket, and half of the time of sending
        environ.pop("HTTP_SEC_WEBSOCKET_EXTENSIONS", None)
        if environ["PATH_INFO"].startswith("/socket.io") and is_full():
            start(_UNAVAILABLE, [_JSON, ("Retry-After", "5")])
            return [b'{"status":"full"}']
        if environ["PATH_INFO"].startswith("/socket.io") and not _opens_a_socket(environ):
            start("400 Bad Request", [_JSON])
            return [b'{"status":"websocket only"}']
        return _closing_on_failure(server, app, environ, start)

    return guarded


def _opens_a_socket(environ: dict[str, Any]) -> bool:
    """Whether the handshake can succeed. The library would keep a session for 45 s for each one that fails."""
    connection = [part.strip() for part in environ.get("HTTP_CONNECTION", "").lower().split(",")]
    upgrades = "upgrade" in connection and environ.get("HTTP_UPGRADE", "").lower() == "websocket"
    return upgrades and environ.get("HTTP_SEC_WEBSOCKET_VERSION") in ("8", "13") and "HTTP_SEC_WEBSOCKET_KEY" in environ


def _closing_on_failure(server: Server, app: App, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
    """Close a socket that sends unreadable bytes. The library would print them and forget the socket."""
    try:
        return app(environ, start_response)
    except Exception as error:  # noqa: BLE001 - the bytes of a client caused it
        server.bad_packet(environ.get(TRANSPORT, ""), error)
        return []


def _health(pulse: Pulse, clocks: Clocks) -> App:
    def answer(environ: dict[str, Any], start_response: Any) -> list[bytes]:
        pages = {"/healthz": lambda: (_FINE, {"status": "ok"}), "/readyz": lambda: _readiness(pulse, clocks)}
        status, body = pages.get(environ["PATH_INFO"], lambda: ("404 Not Found", {}))()
        start_response(status, [_JSON])
        return [msgspec.json.encode(body)]

    return answer


def _readiness(pulse: Pulse, clocks: Clocks) -> tuple[str, dict[str, str]]:
    """It fails while no event of the channel arrives here, or while `web` surely has another time (D-100)."""
    if not pulse.ready:
        return _UNAVAILABLE, {"status": "deaf"}
    if clocks.ahead:
        return _UNAVAILABLE, {"status": "clocks differ"}
    return _FINE, {"status": "ok", **({"clocks": "may differ"} if clocks.behind else {})}
