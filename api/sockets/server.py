"""The Socket.IO server. A bad packet or a flood ends its own socket only.

`handlers.py` decides about tokens. The library would run handlers for any event of a client; this server does not.
"""

import logging
import socket
import time
from functools import partial
from typing import Any

import engineio
import socketio

from api.access.origins import may_open
from api.sockets.budget import MAX_MESSAGE
from api.sockets.outbox import TRANSPORT, Pings, Transport
from api.sockets.rooms import NAMESPACE, Rooms
from api.sockets.strangers import Strangers, drop
from api.sockets.tally import TALLY
from shared.errors.base import HoldfastError
from shared.errors.requests import TooMuchSent
from shared.settings import Settings

# For the errors of the libraries. They would make loggers of another format. Their warnings tell what a client sent,
# once for each packet.
_library = logging.getLogger("realtime.library")
_library.setLevel(logging.ERROR)

#: The one event that a client may send.
REFRESH = "auth.refresh"
# The first characters of packets with binary parts.
_BINARY = (str(socketio.packet.BINARY_EVENT), str(socketio.packet.BINARY_ACK))
# Pings that the server sends before other green threads run.
_PINGS_AT_ONCE = 50


class Server(socketio.Server):
    """The library's server. It can also drop the network connection below a socket."""

    def _engineio_server_class(self) -> type[Transport]:
        return Transport

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self._connections: dict[str, socket.socket] = {}
        self.eio.cut, self.eio.flooded = self.cut, self.flooded
        self._pings = Pings(self.eio.ping_interval)

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

    def flooded(self, eio_sid: str) -> None:
        """Tell a client that it sent too much. The caller then closes the transport."""
        TALLY.note("flood", "a client sent more than its budget; the server closed its socket")
        sid = self.manager.sid_from_eio_sid(eio_sid, NAMESPACE)
        if sid:
            end(self, sid, TooMuchSent)
        else:
            refused, reason = socketio.packet.CONNECT_ERROR, {"message": TooMuchSent.code}
            self._send_packet(eio_sid, self.packet_class(refused, reason))

    def bad_packet(self, eio_sid: str, error: Exception) -> None:
        """End the transport of a client that sent bytes of no packet."""
        TALLY.note("bad_packet", f"{type(error).__name__}; the server closed the socket that sent it")
        self.cut(eio_sid)

    def ping(self) -> None:
        """Send the pings that are due. The library closes a socket whose pong does not come in time."""
        for number, eio_sid in enumerate(self._pings.due(), start=1):
            if transport := self.eio.sockets.get(eio_sid):
                transport.last_ping = time.time()
                self.eio.send_packet(eio_sid, engineio.packet.Packet(engineio.packet.PING))
            if number % _PINGS_AT_ONCE == 0:
                time.sleep(0)

    def _plan_ping(self, eio_sid: str) -> None:
        if transport := self.eio.sockets.get(eio_sid):
            self._pings.plan(transport)

    def _handle_eio_connect(self, eio_sid: str, environ: dict[str, Any]) -> None:
        environ[TRANSPORT] = eio_sid
        self._connections[eio_sid] = environ["eventlet.input"].get_socket()
        self.eio.sockets[eio_sid].schedule_ping = partial(self._plan_ping, eio_sid)
        super()._handle_eio_connect(eio_sid, {})  # the library would keep the request for as long as the socket

    def _handle_eio_disconnect(self, eio_sid: str, reason: str) -> None:
        super()._handle_eio_disconnect(eio_sid, reason)
        self._connections.pop(eio_sid, None)
        self._pings.forget(eio_sid)

    def _handle_event(self, eio_sid: str, namespace: str | None, id: int | None, data: Any) -> None:  # noqa: A002
        # The library would also run the "connect" and "disconnect" handlers for a client that sends these names (D-52)
        if data[0] == REFRESH:
            super()._handle_event(eio_sid, namespace, id, data)

    def _handle_eio_message(self, eio_sid: str, data: Any) -> None:
        try:
            if not isinstance(data, str) or data.startswith(_BINARY):  # the library would keep parts without a limit
                raise TypeError("binary")
            super()._handle_eio_message(eio_sid, data)
        except Exception as error:  # noqa: BLE001 - a bad packet must harm its own socket only
            self.bad_packet(eio_sid, error)


def create_server(settings: Settings, upgrade: type, strangers: Strangers) -> Server:
    """The server without handlers. `upgrade` reads the frames of clients."""
    server = Server(
        async_mode="eventlet",
        logger=_library,
        engineio_logger=_library,
        client_manager=Rooms(),
        transports=["websocket"],  # polling would need sticky sessions behind several processes
        cors_allowed_origins=may_open(settings),
        max_http_buffer_size=MAX_MESSAGE,
        async_handlers=False,  # else each packet starts a thread, and a client may send any number of packets
    )
    server.eio.read_with(upgrade)
    server.eio.strangers = strangers
    return server


def end(server: Server, sid: str, error: type[HoldfastError]) -> None:
    """Tell an open socket the reason, then close it."""
    server.emit("socket.closing", {"code": error.code}, room=sid)
    server.disconnect(sid)
