"""F33: thousands of sockets, some of which never authenticate, and several processes behind one port."""

import resource
import socket
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing, suppress
from urllib.parse import urlsplit

import pytest
import websocket

from api.sockets.door import SPARE
from tests.eventually import Stopwatch, at_most, eventually, patience
from tests.realtime.socket_server import IMPATIENT, PATIENCE, SocketServer
from tests.services.guard import Guard
from tests.services.redis import RedisServer
from tests.services.sockets import RawSocket

# More sockets than eventlet's own pool of 1,024 takes.
MANY = 1_100
# Seconds, while other tests run too.
BACK_WITHIN = 60.0


@pytest.fixture(autouse=True)
def enough_files() -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, min(hard, 8192)), hard))


@pytest.fixture
def crowd() -> Iterator[Callable[[SocketServer, int], list[RawSocket]]]:
    """Opens many sockets at once, each with its own user, and closes all at the end."""
    with ExitStack() as stack, ThreadPoolExecutor(16) as pool:

        def arrive(server: SocketServer, count: int) -> list[RawSocket]:
            arrived = list(pool.map(lambda number: server.let_in(f"user {number}"), range(count)))
            for raw in arrived:
                stack.push(raw)
            return arrived

        yield arrive


def all_hear(server: SocketServer, crowd: list[RawSocket]) -> None:
    for first in range(0, len(crowd), 100):
        server.publish(*((f"user {number}", "mark", {}) for number in range(first, min(first + 100, len(crowd)))))
    assert {raw.receive() for raw in crowd} == {'42["mark",{}]'}


def connection(server: SocketServer) -> socket.socket:
    address = urlsplit(server.url)
    return socket.create_connection((address.hostname, address.port), timeout=patience(10))


def test_more_than_a_thousand_come_back_after_a_restart(
    start: Callable[..., SocketServer], crowd: Callable[[SocketServer, int], list[RawSocket]]
) -> None:
    server = start()
    all_hear(server, crowd(server, MANY))
    assert server.service.stop() == 0  # within its grace period, despite all connections
    with at_most(BACK_WITHIN):
        server.service.start()
        server.wait_until_ready()
        again = crowd(server, MANY)
    all_hear(server, again)


def test_who_never_says_who_it_is_is_dropped_and_who_has_said_stays(start: Callable[..., SocketServer]) -> None:
    server = start(**IMPATIENT)
    with server.let_in("ada") as ada, ExitStack() as stack:
        began, watch = time.monotonic(), Stopwatch()
        silent = [stack.enter_context(server.raw()) for _ in range(100)]
        refused = [stack.enter_context(server.raw()) for _ in range(20)]
        for raw in refused:
            raw.authenticate({"token": "wrong"})
        mute = [stack.enter_context(closing(connection(server))) for _ in range(50)]
        half = [stack.enter_context(closing(connection(server))) for _ in range(50)]
        for each in half:
            each.send(b"GET /healthz HTTP/1.1\r\nHost: ")
        for raw in [*silent, *refused]:
            raw.until_closed()
        for each in [*mute, *half]:
            with suppress(ConnectionResetError):
                assert each.recv(1000) == b""
        assert time.monotonic() - began > PATIENCE * 0.9
        assert watch.seconds < PATIENCE + 10
        server.publish(("ada", "still here", {}))
        assert ada.receive() == '42["still here",{}]'


def test_dripping_a_request_prolongs_nothing(start: Callable[..., SocketServer]) -> None:
    server = start(**IMPATIENT)
    with closing(connection(server)) as dripping:

        def cut_off() -> bool:
            try:
                dripping.send(b"x")
            except (BrokenPipeError, ConnectionResetError):
                return True
            return False

        dripping.send(b"GET /healthz HTTP/1.1\r\nX-Header: ")
        eventually(cut_off, within=PATIENCE + 10)


def test_who_leaves_the_namespace_but_not_the_transport_is_dropped(start: Callable[..., SocketServer]) -> None:
    server = start(**IMPATIENT)
    with server.let_in("ada") as raw, server.let_in("ada") as witness:
        raw.send("41")
        raw.send("40/nowhere,")
        assert raw.receive() == '44/nowhere,"Unable to connect"'  # by now the server has read both frames
        server.publish(("ada", "secret", {}))
        assert witness.receive() == '42["secret",{}]'
        assert raw.until_closed(PATIENCE + 10)[2:] == []


def test_a_full_server_refuses_at_once_and_still_answers_health_checks(start: Callable[..., SocketServer]) -> None:
    server = start(HOLDFAST_MAX_SOCKETS="5", HOLDFAST_SOCKET_AUTH_SECONDS="30")
    with ExitStack() as stack:
        sockets = [stack.enter_context(server.let_in(f"user {number}")) for number in range(5)]
        with at_most(5), pytest.raises(websocket.WebSocketBadStatusException, match="503"):
            server.raw()
        assert server.status("/healthz") == 200
        sockets.pop().socket.close()
        with eventually(lambda: _attempt(server)) as late:
            assert late.authenticate({"token": server.token("late")}).startswith('40{"sid"')


def test_a_socket_that_was_cut_off_leaves_its_place(start: Callable[..., SocketServer]) -> None:
    server = start(HOLDFAST_MAX_SOCKETS="2")
    with server.let_in("ada"):
        for packet in ("x", "42[", "x"):
            with eventually(lambda: _attempt(server), within=5) as eve:
                eve.authenticate({"token": server.token("eve")})
                eve.send(packet)
                eve.until_closed()
        with eventually(lambda: _attempt(server), within=5) as late:
            assert late.authenticate({"token": server.token("late")}).startswith('40{"sid"')


def test_connections_beyond_all_room_drop_the_oldest_that_showed_no_token(start: Callable[..., SocketServer]) -> None:
    server = start(HOLDFAST_MAX_SOCKETS="5", HOLDFAST_SOCKET_AUTH_SECONDS="30")
    with ExitStack() as stack, server.let_in("ada") as ada:
        silent = [stack.enter_context(closing(connection(server))) for _ in range(5 + SPARE + 1)]
        with at_most(5), server.let_in("late") as late:
            server.publish(("ada", "mark", {}), ("late", "mark", {}))
            assert ada.receive() == late.receive() == '42["mark",{}]'
        with suppress(ConnectionResetError):
            assert silent[0].recv(1) == b""
    eventually(lambda: server.ready)


def _attempt(server: SocketServer) -> RawSocket | None:
    with suppress(websocket.WebSocketBadStatusException):
        return server.raw()
    return None


def test_two_processes_share_a_port_and_every_socket_hears_whichever_holds_it(
    guard: Guard, own_redis: RedisServer, crowd: Callable[[SocketServer, int], list[RawSocket]]
) -> None:
    with SocketServer(guard, own_redis, "first", HOLDFAST_SHARE_REALTIME_PORT="true") as first:
        settings = {"REALTIME_PORT": first.environment["REALTIME_PORT"], "HOLDFAST_SHARE_REALTIME_PORT": "true"}
        with SocketServer(guard, own_redis, "second", **settings) as second, ExitStack() as stack:
            eventually(lambda: "realtime.hears" in second.service.log)
            sockets = crowd(first, 60)
            all_hear(first, sockets)
            second.service.kill()
            lost = [number for number, raw in enumerate(sockets) if _ended(raw)]
            assert 0 < len(lost) < 60, "one process held all of them"
            for number in lost:
                sockets[number] = stack.enter_context(first.let_in(f"user {number}"))
            all_hear(first, sockets)


def _ended(raw: RawSocket) -> bool:
    """Tells whether the socket's process is gone. A living process keeps the socket open."""
    raw.socket.settimeout(0.05)
    try:
        return not raw.receive()
    except websocket.WebSocketTimeoutException:
        raw.socket.settimeout(patience(10))
        return False
    except (websocket.WebSocketException, ConnectionError):
        return True


def test_without_the_setting_a_second_server_does_not_start(guard: Guard, own_redis: RedisServer) -> None:
    with SocketServer(guard, own_redis, "first") as first:
        second = SocketServer(guard, own_redis, "second", REALTIME_PORT=first.environment["REALTIME_PORT"])
        second.service.start()
        eventually(lambda: not second.service.alive)
        port = first.environment["REALTIME_PORT"]
        assert f"Port {port} on 127.0.0.1 can't be used (Address already in use): stop" in second.service.log
        second.service.kill()
        assert first.ready
