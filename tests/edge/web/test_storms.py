"""Storms of connections: clients that come, ask and go at once. The API lives, and serves the others."""

import http.client
import socket
import struct

from tests.edge.web.web_server import WebServer, request
from tests.eventually import eventually, patience

RESET = struct.pack("ii", 1, 0)
STORM, GUST = 400, 50


def test_clients_that_ask_and_reset_leave_the_others_their_service(web: WebServer) -> None:
    token = web.sign_up("storm@example.org")
    kept = http.client.HTTPConnection(web.host, web.port, timeout=patience(10))
    for asked in (request("/me", token), request("/me"), b""):
        for number in range(STORM):
            with web.connect(asked) as client:
                client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
            if number % GUST == 0:
                kept.request("GET", "/healthz")
                assert kept.getresponse().read()
    kept.close()
    assert web.healthy
    assert "Traceback" not in web.service.log


def test_a_storm_of_one_address_leaves_its_number_of_connections(web: WebServer) -> None:
    clients = [web.connect() for _ in range(550)]
    eventually(lambda: sum(map(web.holds, clients[-20:])) == 20)
    assert not any(map(web.holds, clients[:40]))
    assert web.healthy
    for client in clients:
        client.close()
