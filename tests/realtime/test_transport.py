"""The transport takes good frames and connections, and refuses the others."""

import json
from collections.abc import Callable

import httpx2
import pytest

from tests.realtime.socket_server import SocketServer


def test_it_listens_on_ipv6_and_takes_the_page_of_that_address(start: Callable[..., SocketServer]) -> None:
    server = start(HOLDFAST_HOST="::1")
    assert server.url.startswith("http://[::1]:")
    with server.raw(origin="http://[::1]:8000") as raw:
        assert raw.authenticate({"token": server.token("ada")}).startswith('40{"sid"')


def test_compression_is_refused(server: SocketServer) -> None:
    with server.raw(headers=["Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits"]) as raw:
        assert "sec-websocket-extensions" not in raw.socket.handshake_response.headers


def test_a_client_gets_pings_and_is_closed_without_a_pong(start: Callable[..., SocketServer]) -> None:
    server = start(module="tests.realtime.pinging")
    with server.let_in("ada") as ada:
        for _ in range(3):
            assert ada.receive() == "2"
            ada.send("3")
        assert [frame for frame in ada.until_closed() if not frame.startswith("4")] == ["2"] * 4


def test_long_polling_is_refused(server: SocketServer) -> None:
    answer = httpx2.get(f"{server.url}/socket.io/?EIO=4&transport=polling")
    assert (answer.status_code, answer.text) == (400, '{"status":"websocket only"}')
    with server.raw() as raw:
        assert json.loads(raw.frames[0][1:])["upgrades"] == []


@pytest.mark.parametrize("size", [65_536, 1_000_000])
def test_a_client_may_send_no_more_than_64_kilobytes(server: SocketServer, size: int) -> None:
    with server.let_in("ada") as witness, server.let_in("eve") as raw:
        raw.send('42["x","' + "x" * 60_000 + '"]')
        server.publish(("eve", "mark", {}))
        assert raw.receive() == '42["mark",{}]'
        raw.send('42["x","' + "x" * size + '"]')
        assert raw.until_closed()[2:] == []
        server.publish(("ada", "mark", {}))
        assert witness.receive() == '42["mark",{}]'


BAD = [
    "x",
    "4x",
    "42[",
    "42{}",
    '42"x"',
    "42[]",
    "42null",
    "4999",
    "451-[",
    '451-["x",{"_placeholder":true,"num":0}]',
    "\x00",
    "6",
]


@pytest.mark.parametrize("frame", BAD)
def test_a_packet_that_is_none_harms_its_own_socket_only(server: SocketServer, frame: str) -> None:
    logged = len(server.service.log)
    with server.let_in("ada") as witness, server.let_in("eve") as raw:
        raw.send(frame)
        raw.heard_for(0.2)
        server.publish(("ada", "mark", {}))
        assert witness.receive() == '42["mark",{}]'
    assert "Traceback" not in server.service.log[logged:]


def test_what_it_serves_besides_is_two_health_checks(server: SocketServer) -> None:
    assert [server.status(path) for path in ("/healthz", "/readyz", "/", "/metrics")] == [200, 200, 404, 404]
