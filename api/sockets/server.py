"""The Socket.IO server. It admits a client with a valid access token to the room of that user, until the token ends.

Any failure of a handler is a refusal. The library would leave such a socket half admitted.
"""

import logging
import socket
import time
from collections.abc import Callable
from typing import Any

import socketio

from api.access import tokens
from api.access.tokens import Claims
from api.sockets.door import Door, drop
from api.sockets.outbox import Transport
from api.sockets.presence import Presence
from api.sockets.rooms import NAMESPACE, Rooms, room_of
from shared.errors.base import HoldfastError
from shared.errors.requests import TokenExpired, Unauthenticated
from shared.settings import Settings

log = logging.getLogger("realtime")

# Bytes of one packet of a client. A client sends nothing but its token.
_MAX_INBOUND = 64 * 1024
# The one event that a client may send.
REFRESH = "auth.refresh"
#: The key of the transport's id in a connection's WSGI environment.
TRANSPORT = "holdfast.transport"


class Server(socketio.Server):
    """The library's server. It can also drop the network connection below a socket."""

    def _engineio_server_class(self) -> type[Transport]:
        return Transport

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self._connections: dict[str, socket.socket] = {}
        self.eio.cut = self.cut

    def connection(self, sid: str) -> socket.socket | None:
        """The network connection below a socket; None if it is gone."""
        return self._connections.get(self.manager.eio_sid_from_sid(sid, NAMESPACE))

    def cut(self, eio_sid: str) -> None:
        """End a transport at once and silently. Its client does not read, or sends broken packets."""
        connection, transport = self._connections.get(eio_sid), self.eio.sockets.pop(eio_sid, None)
        if transport:
            transport.close(wait=False, abort=True)
        if connection:
            drop(connection)

    def _handle_eio_connect(self, eio_sid: str, environ: dict[str, Any]) -> None:
        environ[TRANSPORT] = eio_sid
        self._connections[eio_sid] = environ["eventlet.input"].get_socket()
        super()._handle_eio_connect(eio_sid, {})  # the library would keep the request for as long as the socket

    def _handle_eio_disconnect(self, eio_sid: str, reason: str) -> None:
        super()._handle_eio_disconnect(eio_sid, reason)
        self._connections.pop(eio_sid, None)

    def _handle_event(self, eio_sid: str, namespace: str | None, id: int | None, data: Any) -> None:  # noqa: A002
        # The library would also run the "connect" and "disconnect" handlers for a client that sends these names (D-52)
        if data[0] == REFRESH:
            super()._handle_event(eio_sid, namespace, id, data)

    def _handle_eio_message(self, eio_sid: str, data: Any) -> None:
        try:
            super()._handle_eio_message(eio_sid, data)
        except Exception as error:  # noqa: BLE001 - a bad packet must harm its own socket only
            log.warning("realtime.bad_packet: %s; the server closed the socket that sent it", type(error).__name__)
            self.cut(eio_sid)


def create_server(settings: Settings, door: Door, presence: Presence) -> Server:
    """The server with its handlers: a client connects, renews its token, and leaves. It ignores all other events."""
    origins = frozenset(settings.allowed_origins)
    server = Server(
        async_mode="eventlet",
        client_manager=Rooms(),
        transports=["websocket"],  # polling would need sticky sessions behind several processes
        # the library reads an empty list, or one with a star, as "all sites"
        cors_allowed_origins=lambda origin, _environ: origin in origins,
        max_http_buffer_size=_MAX_INBOUND,
        async_handlers=False,  # else each packet starts a thread, and a client may send any number of packets
    )

    handlers = _Handlers(server, settings.secret_key, door, presence)
    server.on("connect", handlers.connect)
    server.on(REFRESH, handlers.refresh)
    server.on("disconnect", handlers.disconnect)
    return server


class _Handlers:
    def __init__(self, server: Server, secret: str, door: Door, presence: Presence) -> None:
        self._server, self._secret, self._door, self._presence = server, secret, door, presence

    def connect(self, sid: str, _request: dict[str, Any], auth: Any) -> None:
        code = refusal(lambda: self._let_in(sid, auth))
        if code:
            raise socketio.exceptions.ConnectionRefusedError(code)

    def _let_in(self, sid: str, auth: Any) -> None:
        claims = _claims_of(auth, self._secret, self._presence)
        self._server.enter_room(sid, room_of(claims.user_id))
        self._presence.enter(sid, claims)
        if connection := self._server.connection(sid):
            self._door.trust(connection)

    def refresh(self, sid: str, *data: Any) -> dict[str, Any]:
        code = refusal(lambda: self._renew(sid, data[0] if data else None))
        return {"code": code} if code else {"ok": True}

    def _renew(self, sid: str, auth: Any) -> None:
        claims = _claims_of(auth, self._secret, self._presence)
        if claims.user_id != self._presence.user_of(sid):
            raise Unauthenticated
        self._presence.enter(sid, claims)

    def disconnect(self, sid: str, _reason: str) -> None:
        self._presence.leave(sid)
        if connection := self._server.connection(sid):  # the client may keep its transport open
            self._door.doubt(connection)


def _claims_of(auth: Any, secret: str, presence: Presence) -> Claims:
    """The content of the client's token. Raises TokenExpired or Unauthenticated.

    There is no leeway here: the token ends on the second, as it does on an open socket (D-49).
    """
    claims = tokens.verify(secret, tokens.ACCESS, auth.get("token") if isinstance(auth, dict) else None)
    if claims.expires <= time.time():
        raise TokenExpired
    if presence.is_revoked(claims):
        raise Unauthenticated
    return claims


def refusal(attempt: Callable[[], None]) -> str | None:
    """The code of the error with which an attempt failed; None for success. An unknown error is `unauthenticated`."""
    try:
        attempt()
    except HoldfastError as error:
        return error.code
    except Exception:
        log.exception("realtime.handler_failed: the server refused the client")
        return Unauthenticated.code
    return None


def end(server: Server, sid: str, error: type[HoldfastError]) -> None:
    """Tell an open socket the reason, then close it."""
    server.emit("socket.closing", {"code": error.code}, room=sid)
    server.disconnect(sid)
