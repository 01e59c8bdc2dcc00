"""Admits a client with a valid access token to the room of its user, until the token ends.

Any failure of a handler is a refusal. The library would leave such a socket half admitted.
"""

import time
from collections.abc import Callable
from typing import Any

import socketio

from api.access import tokens
from api.access.tokens import Claims
from api.sockets.clocks import Clocks
from api.sockets.presence import Presence
from api.sockets.rooms import room_of
from api.sockets.server import REFRESH, Server
from api.sockets.strangers import Strangers
from api.sockets.tally import TALLY
from shared.errors.base import HoldfastError
from shared.errors.requests import TokenExpired, TooManySockets, Unauthenticated
from shared.settings import Settings


class Handlers:
    """A client connects, renews its token, and leaves. The server ignores all other events."""

    def __init__(self, settings: Settings, most: int, strangers: Strangers, presence: Presence, clocks: Clocks) -> None:
        self._secret, self._most, self._most_of_user = settings.secret_key, most, settings.max_sockets_per_user
        self._strangers, self._presence, self._clocks = strangers, presence, clocks

    def join(self, server: Server) -> None:
        """Let this server call the handlers."""
        self._server = server
        server.on("connect", self.connect)
        server.on(REFRESH, self.refresh)
        server.on("disconnect", self.disconnect)

    def connect(self, sid: str, _request: dict[str, Any], auth: Any) -> None:
        """Admit the socket. Raises ConnectionRefusedError with a code."""
        code = refusal(lambda: self._let_in(sid, auth))
        if code:
            raise socketio.exceptions.ConnectionRefusedError(code)

    def _let_in(self, sid: str, auth: Any) -> None:
        claims = self._claims_of(auth)
        room = room_of(claims.user_id)
        if self._server.manager.size(room) >= self._most_of_user or len(self._presence) >= self._most:
            TALLY.note("too_many_sockets", "a user or all users together had too many sockets; the server refused more")
            raise TooManySockets
        self._server.enter_room(sid, room)
        self._presence.enter(sid, claims)
        if connection := self._server.connection(sid):
            self._strangers.remove(connection)

    def refresh(self, sid: str, *data: Any) -> dict[str, Any]:
        """Take a new token of the same user. The answer is the acknowledgement."""
        code = refusal(lambda: self._renew(sid, data[0] if data else None))
        return {"code": code} if code else {"ok": True}

    def _renew(self, sid: str, auth: Any) -> None:
        claims = self._claims_of(auth)
        if claims.user_id != self._presence.user_of(sid):
            raise Unauthenticated
        self._presence.enter(sid, claims)

    def disconnect(self, sid: str, _reason: str) -> None:
        """Forget the socket."""
        self._presence.leave(sid)
        if connection := self._server.connection(sid):  # the client may keep its transport open
            self._strangers.add(connection)

    def _claims_of(self, auth: Any) -> Claims:
        try:
            claims = self._checked(auth)
        except HoldfastError as error:
            self._clocks.refused(error)
            raise
        self._clocks.accepted()
        return claims

    def _checked(self, auth: Any) -> Claims:
        """The content of the client's token. Raises TokenExpired or Unauthenticated.

        There is no leeway here: the token ends on the second, as it does on an open socket (D-49).
        """
        claims = tokens.verify(self._secret, tokens.ACCESS, auth.get("token") if isinstance(auth, dict) else None)
        if claims.expires <= time.time():
            raise TokenExpired
        if self._presence.is_revoked(claims):
            raise Unauthenticated
        return claims


def refusal(attempt: Callable[[], None]) -> str | None:
    """The code of the error with which an attempt failed; None for success. An unknown error is `unauthenticated`."""
    try:
        attempt()
    except HoldfastError as error:
        return error.code
    except Exception:  # noqa: BLE001 - an error of ours must refuse this client only
        TALLY.note("handler_failed", "the server refused the client", stack=True)
        return Unauthenticated.code
    return None
