"""The frames that a client sends. A message has one limit, however the client cuts it, and each socket has a budget.

Beside `api/realtime.py`, this module alone imports eventlet: the library reads the frames here.
"""

import time
from collections.abc import Callable
from functools import partial
from typing import Any, cast

from engineio.async_drivers.eventlet import WebSocketWSGI
from eventlet.websocket import ConnectionClosedError, FailedConnectionError, RFC6455WebSocket

from api.sockets.budget import MAX_MESSAGE, Flood, Metered
from api.sockets.outbox import TRANSPORT
from api.sockets.strangers import Strangers
from shared.errors.requests import TooMuchSent

# Bytes that a piece of a message takes in memory beside its text, roughly. An empty fragment is a piece too.
_PIECE = 64
# The code of the WebSocket protocol for a client that breaks a rule of the server.
_POLICY_VIOLATION = 1008
# Seconds in which the reason for its end can reach a client.
_GOODBYE = 1.0


class Frames(RFC6455WebSocket):
    """The library's WebSocket with limits. It calls `flooded` for a client that sends too much, and then closes."""

    def limit(self, flooded: Callable[[], None], strangers: Strangers) -> None:
        """Begin to count what the client sends."""
        self.socket: Any = Metered(self.socket, strangers)
        self._flooded = flooded

    def _recv_frame(self, message: Any = None) -> Any:
        pieces = message.data if message else ()
        self.max_frame_length = MAX_MESSAGE - sum(_PIECE + len(piece) for piece in pieces)
        try:
            return super()._recv_frame(message)
        except Flood:
            self._flooded()
            time.sleep(0)  # the thread that writes sends the reason first
            self._say_goodbye(_POLICY_VIOLATION, TooMuchSent.code)
        except FailedConnectionError as error:
            self._say_goodbye(error.status, error.message)
        raise ConnectionClosedError

    def _say_goodbye(self, code: int, reason: str) -> None:
        """Tell the reason, and wait a moment without reading. Closing at once would reset the connection."""
        self._send_closing_frame(True, (code, reason))
        self.socket.rest(_GOODBYE)

    @staticmethod
    def _apply_mask(data: bytes, mask: tuple[int, ...], length: int, offset: int = 0) -> bytes:
        """Unmask all bytes as one number. The library does it byte by byte, which takes 13 ms for 64 KB."""
        start = offset % len(mask)
        key = bytes(mask[start:] + mask[:start]) * (length // len(mask) + 1)
        return (int.from_bytes(data) ^ int.from_bytes(key[:length])).to_bytes(length)


class Upgrade(WebSocketWSGI):
    """Answers the request that opens a WebSocket. It refuses the drafts that came before RFC 6455 (D-96)."""

    def __init__(self, handler: Any, server: Any) -> None:
        super().__init__(handler, server)
        self.support_legacy_versions = False
        self._flooded, self._strangers = server.flooded, server.strangers

    def _handle_hybi_request(self, environ: dict[str, Any]) -> Frames:
        frames = super()._handle_hybi_request(environ)
        frames.__class__ = Frames  # the library names its own class in the midst of this function
        frames.limit(partial(self._flooded, environ[TRANSPORT]), self._strangers)
        return cast(Frames, frames)
