"""Rooms: no event goes out without one, and a socket that leaves is in none."""

import ast
from pathlib import Path

import pytest
import socketio

from api.sockets.rooms import NAMESPACE, RoomlessEvent, Rooms, deliver, present_users, room_of

ROOT = Path(__file__).parents[3]


@pytest.fixture
def server() -> socketio.Server:
    return socketio.Server(async_mode="threading", client_manager=Rooms())


def enter(server: socketio.Server, eio_sid: str, user: str) -> str:
    sid: str = server.manager.connect(eio_sid, NAMESPACE)
    server.enter_room(sid, room_of(user))
    return sid


def test_an_event_without_a_room_is_refused(server: socketio.Server) -> None:
    enter(server, "1", "ada")
    for room in (None, ""):
        with pytest.raises(RoomlessEvent):
            server.emit("news", {}, room=room)
    with pytest.raises(RoomlessEvent):
        server.send("news")


def test_who_leaves_is_in_no_room_and_the_others_stay(server: socketio.Server) -> None:
    before = enter(server, "0", "bob")
    sids = [enter(server, str(number), "ada") for number in range(1, 4)]
    server.manager.pre_disconnect(sids[0], NAMESPACE)
    server.manager.disconnect(sids[0], NAMESPACE)
    assert server.manager.get_rooms(sids[0], NAMESPACE) == []
    assert not server.manager.is_connected(sids[0], NAMESPACE)
    assert not any(server.manager.pending_disconnect.values())
    assert sorted(present_users(server)) == ["ada", "bob"]
    for sid in sids[1:]:
        server.manager.disconnect(sid, NAMESPACE)
    assert present_users(server) == ["bob"]
    server.manager.disconnect(before, NAMESPACE)
    server.manager.disconnect(before, NAMESPACE)
    assert server.manager.rooms == {}
    assert server.manager._rooms_of == {}


def test_an_event_is_for_the_tabs_of_its_user(server: socketio.Server, monkeypatch: pytest.MonkeyPatch) -> None:
    enter(server, "1", "ada")
    enter(server, "2", "ada")
    enter(server, "3", "bob")
    sent = []
    monkeypatch.setattr(server, "_send_eio_packet", lambda eio_sid, packet: sent.append((eio_sid, packet.data)))
    deliver(server, [("ada", "news", '{"n":1}'), ("nobody", "news", "{}"), ("", "news", "{}")])
    assert sent == [("1", '2["news",{"n":1}]'), ("2", '2["news",{"n":1}]')]


def roomless(source: str) -> list[int]:
    """The lines that emit an event without naming a room."""
    found = []
    for call in ast.walk(ast.parse(source)):
        if isinstance(call, ast.Call) and isinstance(call.func, ast.Attribute):
            receiver = ast.unparse(call.func.value)
            emits = call.func.attr == "emit" or (call.func.attr in ("send", "call") and receiver.endswith("server"))
            rooms = [word.value for word in call.keywords if word.arg in ("room", "to")]
            if emits and not any(not isinstance(room, ast.Constant) for room in rooms):
                found.append(call.lineno)
    return found


def test_no_line_of_ours_emits_without_a_room() -> None:
    files = [*(ROOT / "api").rglob("*.py"), *(ROOT / "workers").rglob("*.py"), *(ROOT / "shared").rglob("*.py")]
    assert {str(file): roomless(file.read_text()) for file in files if roomless(file.read_text())} == {}


@pytest.mark.parametrize(
    "line",
    ["server.emit('x', {})", "self._server.emit('x', room=None)", "server.send('x')", "manager.emit('x', {}, '/')"],
)
def test_each_way_to_emit_without_a_room_is_found(line: str) -> None:
    assert roomless(line) == [1]
