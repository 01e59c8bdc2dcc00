"""The HTTP answers of `realtime` to odd requests, and the lines that they leave in its log."""

import re
import socket
from collections.abc import Callable
from contextlib import closing, suppress

import pytest

from tests.edge.sockets.flooder import HELLO, frame
from tests.edge.sockets.witness import address
from tests.eventually import eventually, patience
from tests.realtime.socket_server import SocketServer

SECRET = b"Bearer-of-a-secret"
LINE = re.compile(r"^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d{3} (INFO|WARNING|ERROR) [\w.]+ ")
GOOD = [
    b"GET /healthz HTTP/1.1",
    b"GET /readyz HTTP/1.1",
    b"GET /nowhere HTTP/1.1",
    b"GET /socket.io/?EIO=4&transport=polling HTTP/1.1",
    b"GET /socket.io/?EIO=4&transport=websocket HTTP/1.1",
    b"GET /socket.io/?EIO=4&transport=websocket&sid=%0aFORGED%20LINE HTTP/1.1",
    b"POST /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\nContent-Length: 99999999",
    b"PUT /socket.io/?EIO=4&transport=websocket HTTP/1.1",
    b"GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\nOrigin: http://evil.example",
]
ODD = [
    b"\x00\x01 " + SECRET,
    SECRET + b" / HTTP/9.9",
    b"GET / HTTP/1.1\r\n" + b"\r\n".join(b"X-%d: %s" % (number, SECRET) for number in range(200)),
]
TOO_LONG = [
    b"GET /socket.io/?" + b"x&" * 1500 + b" HTTP/1.1",
    b"GET / HTTP/1.1\r\nCookie: " + b"x" * 10_000,
    b"GET / HTTP/1.1\r\n" + b"\r\n".join(b"X-%d: %s" % (number, b"y" * 7_000) for number in range(20)),
]


def answer(server: SocketServer, request: bytes) -> bytes:
    with closing(socket.create_connection(address(server), patience(5))) as connection:
        connection.sendall(request + b"\r\n\r\n")
        return connection.recv(4096)


@pytest.mark.parametrize("request_", [*GOOD, *ODD], ids=lambda request: repr(request[:50]))
def test_every_answer_forbids_sniffing_and_repeats_nothing(server: SocketServer, request_: bytes) -> None:
    got = answer(server, request_)
    assert got.startswith(b"HTTP/1.1 ")
    assert b"\r\nX-Content-Type-Options: nosniff\r\n" in got
    assert SECRET not in got


@pytest.mark.parametrize(("request_", "status"), [*zip(TOO_LONG, (414, 400, 400), strict=True)])
def test_a_handshake_that_is_too_long_is_refused(server: SocketServer, request_: bytes, status: int) -> None:
    assert int(answer(server, request_)[9:12]) == status


def test_no_client_writes_into_the_log(start: Callable[..., SocketServer]) -> None:
    """Each line has our format, and none has a client's text. Each kind of mistake has one line."""
    server = start()
    for request in [*GOOD, *ODD, *TOO_LONG] * 3:
        with suppress(ConnectionError):  # the server may close before it has read all
            answer(server, request)
    for junk in (b"\x83\x80\0\0\0\0", b"\x81\x01x", frame("42["), frame('40{"token":"\\ud800.x.x"}'), frame("430[1]")):
        with closing(socket.create_connection(address(server), patience(5))) as connection:
            connection.sendall(HELLO)
            connection.recv(4096)
            connection.sendall(junk)
    eventually(lambda: "realtime.bad_packet: " in server.service.log)
    lines = server.service.log.splitlines()
    assert all(map(LINE.match, lines)), lines
    assert not re.search("FORGED|secret|evil", server.service.log)
    assert server.service.log.count("realtime.bad_request: ") == 1
