"""Storms of connections: clients that come, ask and go at once. The API lives, and serves the others."""

import http.client
import socket
import struct
from collections.abc import Callable

import pytest

from tests.edge.web.web_server import WebServer, request
from tests.eventually import patience

RESET = struct.pack("ii", 1, 0)
STORM, GUST = 400, 50


@pytest.fixture(scope="module")
def web(start_web: Callable[..., WebServer]) -> WebServer:
    """A server that leaves a connection open for as long as a gust takes on a busy machine."""
    return start_web("web", HOLDFAST_CLIENT_SECONDS="60")


def test_clients_that_ask_and_reset_leave_the_others_their_service(web: WebServer) -> None:
    token = web.sign_up("storm@example.org")
    kept = http.client.HTTPConnection(web.host, web.port, timeout=patience(10))
    for asked in (request("/me", token), request("/me"), b""):
        for number in range(STORM):
            with web.connect(asked) as client:
                client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
            if number % GUST == 0:
                kept.request("GET", "/healthz")
                answer = kept.getresponse()
                assert (answer.read() and answer.status) == 200
    kept.close()
    assert web.healthy
    assert "Traceback" not in web.service.log
