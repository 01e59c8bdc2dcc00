"""Who gets an event: one room a user, entered by the server alone, and nothing ever goes to everybody."""

import json
from collections.abc import Iterable
from typing import Any

import socketio
from engineio import packet as transport

NAMESPACE = "/"
_PREFIX = "user:"
# The library's number of an event's packet.
_EVENT = socketio.packet.EVENT

#: A user's id, an event's name, and its data as it came, in JSON.
Heard = tuple[str, str, str]


class RoomlessEvent(Exception):
    """An event without a room would reach everybody, and those too who are not let in yet."""


class Rooms(socketio.Manager):
    """The library's rooms, in memory; they refuse an event for everybody, and forget a socket without a search."""

    def __init__(self) -> None:
        super().__init__()
        self._rooms_of: dict[str, list[str | None]] = {}

    def emit(
        self, event: str, data: Any, namespace: str, room: str | None = None, to: str | None = None, **rest: Any
    ) -> None:
        """Raises RoomlessEvent."""
        if not (room or to):
            raise RoomlessEvent(event)
        super().emit(event, data, namespace, room=room, to=to, **rest)

    def forward(self, event: str, data: str, room: str) -> None:
        """emit() for data that is JSON already: to parse and write it again is most of what an event costs."""
        text = f"{_EVENT}[{json.dumps(event)},{data}]"
        packet = transport.Packet(transport.MESSAGE, text)
        for _, eio_sid in self.get_participants(NAMESPACE, room):
            self.server._send_eio_packet(eio_sid, packet)

    def basic_enter_room(self, sid: str, namespace: str, room: str | None, eio_sid: str | None = None) -> None:
        """Also remember it, for the way out."""
        super().basic_enter_room(sid, namespace, room, eio_sid=eio_sid)
        self._rooms_of.setdefault(sid, []).append(room)

    def basic_disconnect(self, sid: str, namespace: str, **_: Any) -> None:
        """The library looks through all rooms for each socket that leaves: with thousands, seconds without an event."""
        for room in self._rooms_of.pop(sid, ()):
            self.basic_leave_room(sid, namespace, room)
        for waiting in (self.pending_connect.get(namespace), self.pending_disconnect.get(namespace)):
            if waiting and sid in waiting:
                waiting.remove(sid)


def room_of(user_id: str) -> str:
    """The room of all of a user's open tabs."""
    return f"{_PREFIX}{user_id}"


def deliver(server: socketio.Server, events: Iterable[Heard]) -> None:
    """Send each event to the tabs of its user that this process holds."""
    rooms = server.manager.rooms.get(NAMESPACE, {})
    for user_id, name, data in events:
        room = room_of(user_id)
        if room in rooms:
            server.manager.forward(name, data, room)


def present_users(server: socketio.Server) -> list[str]:
    """Whose tabs this process holds."""
    rooms = server.manager.rooms.get(NAMESPACE, {})
    return [room.removeprefix(_PREFIX) for room in rooms if room and room.startswith(_PREFIX)]
