"""Our own mistakes must not leave a socket half let in, nor send an event to everybody."""

from collections.abc import Callable

from tests.eventually import eventually
from tests.realtime.socket_server import IMPATIENT, PATIENCE, SocketServer


def test_a_handler_that_crashes_is_a_refusal_and_its_socket_hears_nothing(start: Callable[..., SocketServer]) -> None:
    server = start(module="tests.realtime.crashing", **IMPATIENT)
    with server.let_in("ada") as ada, server.raw() as crashed:
        assert crashed.authenticate({"token": server.token("crash")}) == '44{"message":"unauthenticated"}'
        server.publish(("crash", "secret", {}), ("ada", "mark", {}))
        assert ada.receive() == '42["mark",{}]'
        assert crashed.until_closed(PATIENCE + 5) == ['44{"message":"unauthenticated"}']
    assert "on purpose" in server.service.log


def test_an_event_without_a_room_goes_to_nobody(start: Callable[..., SocketServer]) -> None:
    server = start(module="tests.realtime.shouting", **IMPATIENT)
    with server.let_in("ada") as ada, server.raw() as nobody:
        eventually(lambda: "RoomlessEvent: for everybody" in server.service.log)
        server.publish(("ada", "mark", {}))
        assert ada.receive() == '42["mark",{}]'
        assert nobody.frames[1:] + nobody.until_closed(PATIENCE + 5) == []
