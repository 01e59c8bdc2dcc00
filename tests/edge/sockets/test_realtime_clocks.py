"""The clocks of `web` and `realtime` differ by an hour: a line of the log and /readyz say why sockets are refused."""

import time
from collections.abc import Callable

import httpx2

from tests.eventually import patience
from tests.realtime.socket_server import SocketServer

HOUR = 3600
LIFETIME = 900


def readyz(server: SocketServer) -> tuple[int, dict[str, str]]:
    answer = httpx2.get(f"{server.url}/readyz", timeout=patience(5))
    return answer.status_code, answer.json()


def show_token_of(server: SocketServer, later: int) -> str:
    """Show a token as `web` makes one whose clock is so many seconds ahead. Returns the answer."""
    now = int(time.time()) + later
    with server.raw() as raw:
        return raw.authenticate({"token": server.token("ada", iat=now, exp=now + LIFETIME)})


def test_a_web_that_is_ahead_is_noticed_and_a_good_token_ends_that(start: Callable[..., SocketServer]) -> None:
    server = start()
    for _ in range(3):
        assert show_token_of(server, HOUR) == '44{"message":"unauthenticated"}'
    assert readyz(server) == (503, {"status": "clocks differ"})
    assert server.status("/healthz") == 200
    assert server.service.log.count("realtime.clocks_differ: ") == 1
    assert "set the clocks of the machines" in server.service.log
    assert show_token_of(server, 0).startswith('40{"sid"')
    assert readyz(server) == (200, {"status": "ok"})


def test_a_web_that_is_behind_is_noticed_and_old_tokens_of_a_client_do_not_stop_the_server(
    start: Callable[..., SocketServer],
) -> None:
    server = start()
    assert show_token_of(server, -HOUR) == '44{"message":"token_expired"}'
    assert readyz(server) == (200, {"status": "ok"})
    for _ in range(3):
        show_token_of(server, -HOUR)
    assert readyz(server) == (200, {"status": "ok", "clocks": "may differ"})
    assert server.service.log.count("realtime.clocks_may_differ: ") == 1
    show_token_of(server, 0)
    assert readyz(server) == (200, {"status": "ok"})


def test_a_stranger_cannot_make_the_clocks_look_wrong(start: Callable[..., SocketServer]) -> None:
    server = start()
    server.secret = server.secret[::-1]
    for _ in range(3):
        show_token_of(server, HOUR)
        show_token_of(server, -HOUR)
    assert readyz(server) == (200, {"status": "ok"})
