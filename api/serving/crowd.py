"""All connections of this process. It limits their number and their memory, and ends the slow ones."""

import asyncio
from collections import OrderedDict
from collections.abc import Collection
from typing import Any, NamedTuple

from api.serving.connection import Connection
from api.serving.pace import PacedConnection
from shared.errors.server import ServerFull
from shared.network.addresses import network_of

# Seconds between two looks for slow clients.
_LOOK = 1.0
# Bytes of large bodies that have no answer yet, and bytes of answers that clients have not taken yet.
_MOST_BODIES, _MOST_UNSENT = 64 * 1024 * 1024, 64 * 1024 * 1024


class Limits(NamedTuple):
    """Seconds for each step of a client, bytes of a body, and numbers of connections."""

    seconds: float
    body: int
    connections: int
    per_address: int


class Crowd:
    """uvicorn calls it for each new connection. Beyond a limit, the client that has rested for longest must go."""

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self._address: dict[PacedConnection, str] = {}
        # The connections of each address. The one that stayed at its step for longest is the first.
        self._by_address: dict[str, OrderedDict[PacedConnection, None]] = {}
        self._bodies: dict[PacedConnection, int] = {}
        self._unsent: dict[PacedConnection, None] = {}
        self._looks = False

    def __call__(self, **of_uvicorn: Any) -> Connection:
        if not self._looks:
            self._looks = True
            asyncio.get_running_loop().call_later(_LOOK, self._look)
        return Connection(self, **of_uvicorn)

    def admit(self, connection: PacedConnection) -> bool:
        """Count the connection. False if there is no room for it, because all others have requests at work."""
        address = self._address[connection] = _network(connection)
        peers = self._by_address.setdefault(address, OrderedDict())
        peers[connection] = None
        if len(peers) > self.limits.per_address:
            return self._make_room(peers, connection)
        if len(self._address) > self.limits.connections:
            return self._make_room(max(self._by_address.values(), key=len), connection)
        return True

    def note_step(self, connection: PacedConnection) -> None:
        """The connection begins its next step."""
        if connection in self._address:
            self._by_address[self._address[connection]].move_to_end(connection)

    def forget(self, connection: PacedConnection) -> None:
        """The connection has ended."""
        address = self._address.pop(connection, None)
        if address is None:
            return  # it had to make room
        peers = self._by_address[address]
        del peers[connection]
        if not peers:
            del self._by_address[address]
        self.release(connection)
        self._unsent.pop(connection, None)

    def hold(self, connection: PacedConnection, size: int) -> bool:
        """Count a large body. False if there is no room for it. A client that stalls makes room first."""
        self._bodies[connection] = size
        while sum(self._bodies.values()) > _MOST_BODIES:
            stalled = next((one for one in self._bodies if one.reads_body and one is not connection), None)
            if stalled is None:
                return False
            self._bodies.pop(stalled)
            stalled.refuse(ServerFull())
        return True

    def release(self, connection: PacedConnection) -> None:
        """The body of this connection needs no memory any more."""
        self._bodies.pop(connection, None)

    def owe(self, connection: PacedConnection) -> None:
        """A part of an answer waits for its client. Beyond the limit, the answer that has waited for longest goes."""
        self._unsent.pop(connection, None)
        self._unsent[connection] = None
        waiting = {one: one.unsent for one in self._unsent}
        total = sum(waiting.values())
        for slowest, size in waiting.items():
            if total <= _MOST_UNSENT and size:
                break
            total -= size
            del self._unsent[slowest]
            if size:
                slowest.drop()

    def _make_room(self, peers: Collection[PacedConnection], newcomer: PacedConnection) -> bool:
        oldest = next((one for one in peers if one.rests and one is not newcomer), None)
        if oldest:
            oldest.drop()
            self.forget(oldest)  # now, or others that come in the same moment would all take this one's place
        return oldest is not None

    def _look(self) -> None:
        loop = asyncio.get_running_loop()
        loop.call_later(_LOOK, self._look)  # first, so that no failure below ends all deadlines
        now = loop.time()
        for connection in list(self._address):
            if connection.is_late(now):
                connection.end_late()


def _network(connection: PacedConnection) -> str:
    """The name under which the limits count this client."""
    return network_of(connection.client[0]) if connection.client else ""
