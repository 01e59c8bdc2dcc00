"""Each user has one room, and only the server puts sockets into it. No event goes to all users."""

import json
from collections.abc import Iterable
from typing import Any

import socketio
from engineio import packet as transport

NAMESPACE = "/"
_PREFIX = "user:"
# The library's number for a packet with an event.
_EVENT = socketio.packet.EVENT

#: The id of a user, the name of an event, and its data as JSON text.
Heard = tuple[str, str, str]


class RoomlessEvent(Exception):
    """The event has no room. It would reach all sockets, even those that are not admitted yet."""


class Rooms(socketio.Manager):
    """The library's rooms, in memory. They refuse an event for all users, and remove a socket without a search."""

    def __init__(self) -> None:
        super().__init__()
        self._rooms_of: dict[str, list[str | None]] = {}

    def emit(
        self, event: str, data: Any, namespace: str, room: str | None = None, to: str | None = None, **rest: Any
    ) -> None:
        """Send an event to a room. Raises RoomlessEvent without one."""
        if not (room or to):
            raise RoomlessEvent(event)
        super().emit(event, data, namespace, room=room, to=to, **rest)

    def forward(self, event: str, data: str, room: str) -> None:
        """Like emit(), for data that is JSON text already. Parsing and writing it again would be most of the cost."""
        text = f"{_EVENT}[{json.dumps(event)},{data}]"
        packet = transport.Packet(transport.MESSAGE, text)
        for _, eio_sid in self.get_participants(NAMESPACE, room):
            self.server._send_eio_packet(eio_sid, packet)

    def size(self, room: str) -> int:
        """The number of sockets in a room."""
        return len(self.rooms.get(NAMESPACE, {}).get(room, ()))

    def basic_enter_room(self, sid: str, namespace: str, room: str | None, eio_sid: str | None = None) -> None:
        """Also remember the room, for basic_disconnect()."""
        super().basic_enter_room(sid, namespace, room, eio_sid=eio_sid)
        self._rooms_of.setdefault(sid, []).append(room)

    def basic_disconnect(self, sid: str, namespace: str, **_: Any) -> None:
        """Leave only the rooms that this socket has entered (D-53).

        The library would search all rooms for each socket. When thousands leave, no event is sent for seconds.
        """
        for room in self._rooms_of.pop(sid, ()):
            self.basic_leave_room(sid, namespace, room)
        for waiting in (self.pending_connect.get(namespace), self.pending_disconnect.get(namespace)):
            if waiting and sid in waiting:
                waiting.remove(sid)


def room_of(user_id: str) -> str:
    """The room of all of a user's open tabs."""
    return f"{_PREFIX}{user_id}"


def deliver(server: socketio.Server, events: Iterable[Heard]) -> None:
    """Send each event to the tabs of its user that are connected to this process."""
    rooms = server.manager.rooms.get(NAMESPACE, {})
    for user_id, name, data in events:
        room = room_of(user_id)
        if room in rooms:
            server.manager.forward(name, data, room)


def present_users(server: socketio.Server) -> list[str]:
    """The ids of all users with a tab that is connected to this process."""
    rooms = server.manager.rooms.get(NAMESPACE, {})
    return [room.removeprefix(_PREFIX) for room in rooms if room and room.startswith(_PREFIX)]
