"""Clients over IPv6, and clients behind a proxy: each has its own address, and chooses no other."""

import json
import socket
from collections.abc import Callable
from contextlib import closing

import pytest

from tests.edge.web.web_server import WebServer, answer_on, code_of, request
from tests.eventually import patience

CLOSES = "Connection: close"


@pytest.fixture(scope="module")
def proxied(start_web: Callable[..., WebServer]) -> WebServer:
    """A server behind one proxy. It listens on all addresses, IPv4 and IPv6, and lets an address sign up once."""
    settings = {"HOST": "::", "TRUSTED_PROXIES": "1", "RATE_LIMIT_SIGN_UPS": "1/hour"}
    return start_web("proxied", **{f"HOLDFAST_{name}": value for name, value in settings.items()})


def sign_up(web: WebServer, forwarded: str) -> int:
    body = json.dumps({"email": f"{hash(forwarded)}@example.org", "password": "correct horse battery"}).encode()
    lines = (f"X-Forwarded-For: {forwarded}", "Content-Type: application/json", f"Content-Length: {len(body)}", CLOSES)
    return web.asked(request("/auth/sign-up", "", *lines, method="POST"), body)[0]


def test_clients_come_over_ipv6_and_ipv4(proxied: WebServer) -> None:
    assert proxied.url.startswith("http://[::1]:")
    assert proxied.healthy
    with closing(socket.create_connection(("127.0.0.1", proxied.port), patience(5))) as client:
        client.sendall(request("/healthz", "", CLOSES))
        assert answer_on(client)[0] == 200


def test_the_address_of_realtime_has_brackets_too(proxied: WebServer) -> None:
    for head in (
        f"GET /config HTTP/1.1\r\nHost: [::1]:{proxied.port}\r\n{CLOSES}\r\n\r\n",
        "GET /config HTTP/1.0\r\n\r\n",
    ):
        _, _, body = proxied.asked(head.encode())
        assert json.loads(body)["realtimeUrl"] == "http://[::1]:8001"


@pytest.mark.parametrize(
    ("first", "same"),
    [
        ("192.0.2.1", "192.0.2.1:5678"),
        ("198.51.100.7, 192.0.2.2", '", 192.0.2.2'),
        ("[2001:db8::1]:99", "2001:db8::2"),
        ("192.0.2.3", "::ffff:192.0.2.3"),
    ],
)
def test_a_client_has_one_address_however_a_proxy_writes_it(proxied: WebServer, first: str, same: str) -> None:
    assert [sign_up(proxied, first), sign_up(proxied, same)] == [201, 429]


JUNK = [
    "",
    ",",
    "unknown",
    "_x",
    "1.2.3",
    "1.2.3.4:http",
    "[::1",
    "[::1]:",
    "::1]",
    '"',
    "%",
    "\x80\xff",
    "9" * 9_000,
    "," * 9_000,
]


def test_junk_is_no_address_and_no_error(proxied: WebServer) -> None:
    answers = [sign_up(proxied, junk) for junk in JUNK]
    assert answers == [201] + [429] * (len(JUNK) - 1)  # all of them have the address of their connection


@pytest.mark.parametrize(
    "name", ["X-Forwarded-Proto", "X-Forwarded-Host", "X-Forwarded-Port", "X-Forwarded-Prefix", "Host"]
)
def test_no_header_of_a_proxy_is_an_error_of_the_server(proxied: WebServer, name: str) -> None:
    for junk in [*JUNK, "javascript", "[", "[x]", "a:b:c", "//", "http://[::1"]:
        host = () if name == "Host" else ("Host: web",)
        head = "\r\n".join(["GET /config HTTP/1.1", *host, f"{name}: {junk}", CLOSES, "\r\n"])
        status, _, body = proxied.asked(head.encode("latin-1"))
        assert status in (200, 400, 431), (junk, status, body)
        assert status == 200 or code_of(body)
    assert "Traceback" not in proxied.service.log
