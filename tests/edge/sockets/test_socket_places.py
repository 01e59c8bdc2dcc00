"""Neither one account nor one address can take all places of `realtime`."""

import json
import socket
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from statistics import median

import pytest

from tests.edge.sockets.flooder import HELLO, frame
from tests.edge.sockets.witness import Witness, address
from tests.eventually import eventually
from tests.realtime.socket_server import SocketServer
from tests.services.sockets import RawSocket

FULL = '44{"message":"too_many_sockets"}'
MOST = 3


@pytest.fixture
def stack() -> Iterator[ExitStack]:
    with ExitStack() as stack:
        yield stack


def attempt(stack: ExitStack, server: SocketServer, user: str) -> tuple[RawSocket, str]:
    raw = stack.enter_context(server.raw())
    return raw, raw.authenticate({"token": server.token(user)})


def test_one_account_cannot_lock_the_others_out(start: Callable[..., SocketServer], stack: ExitStack) -> None:
    server = start(HOLDFAST_MAX_SOCKETS="6", HOLDFAST_MAX_SOCKETS_PER_USER=str(MOST))
    tries = [attempt(stack, server, "eve") for _ in range(5)]
    assert [answer == FULL for _, answer in tries] == [False] * MOST + [True] * 2
    ada, answer = attempt(stack, server, "ada")
    assert answer.startswith('40{"sid"')
    server.publish(("eve", "mark", {}), ("ada", "mark", {}))
    assert ada.receive() == tries[0][0].receive() == '42["mark",{}]'


def test_the_place_of_a_socket_that_left_is_free_again(start: Callable[..., SocketServer], stack: ExitStack) -> None:
    server = start(HOLDFAST_MAX_SOCKETS_PER_USER="1")
    first, _ = attempt(stack, server, "ada")
    assert attempt(stack, server, "ada")[1] == FULL
    first.socket.close()
    eventually(lambda: attempt(stack, server, "ada")[1] != FULL)


def test_all_users_together_have_a_limit_too(start: Callable[..., SocketServer], stack: ExitStack) -> None:
    """Their handshakes begin while there is room, and their tokens come later."""
    server = start(HOLDFAST_MAX_SOCKETS="2", HOLDFAST_SOCKET_AUTH_SECONDS="30")
    waiting = [stack.enter_context(server.raw()) for _ in range(3)]
    answers = [raw.authenticate({"token": server.token(f"user {number}")}) for number, raw in enumerate(waiting)]
    assert [answer == FULL for answer in answers] == [False, False, True]


def test_one_connection_holds_one_place_however_often_it_shows_its_token(
    start: Callable[..., SocketServer], stack: ExitStack
) -> None:
    server = start(HOLDFAST_MAX_SOCKETS_PER_USER="2")
    raw, _ = attempt(stack, server, "ada")
    for _ in range(5):
        assert raw.authenticate({"token": server.token("ada")}) == '44"Unable to connect"'
    assert attempt(stack, server, "ada")[1] != FULL
    server.publish(("ada", "mark", {}))
    assert raw.receive() == '42["mark",{}]'
    server.publish(("ada", "end", {}))
    assert raw.receive() == '42["end",{}]'  # the first one came once


def test_silent_connections_of_one_address_keep_nobody_out(
    start: Callable[..., SocketServer], stack: ExitStack
) -> None:
    server = start(HOLDFAST_MAX_STRANGERS=str(MOST), HOLDFAST_SOCKET_AUTH_SECONDS="30")
    ada, _ = attempt(stack, server, "ada")
    silent = [stack.enter_context(server.raw()) for _ in range(2 * MOST)]
    for raw in silent[:MOST]:
        assert raw.until_closed() == []
    late, answer = attempt(stack, server, "ada")
    assert answer.startswith('40{"sid"')
    server.publish(("ada", "mark", {}))
    assert ada.receive() == late.receive() == '42["mark",{}]'
    assert json.loads(silent[-1].authenticate({"token": server.token("bob")})[2:])["sid"]
    assert server.service.log.count("realtime.crowded: ") == 1


def test_connections_that_ended_push_out_nobody_who_waits(start: Callable[..., SocketServer], stack: ExitStack) -> None:
    server = start(HOLDFAST_MAX_STRANGERS=str(MOST), HOLDFAST_SOCKET_AUTH_SECONDS="30")
    waiting = stack.enter_context(server.raw())
    for _ in range(2 * MOST):
        assert server.status("/healthz") == 200
    assert waiting.authenticate({"token": server.token("ada")}).startswith('40{"sid"')


def test_a_flood_of_an_address_keeps_no_newcomer_of_it_out(
    start: Callable[..., SocketServer], stack: ExitStack
) -> None:
    """Behind a proxy, all clients have one address."""
    server = start(HOLDFAST_SOCKET_AUTH_SECONDS="3")
    for _ in range(150):
        flooder = stack.enter_context(closing(socket.create_connection(address(server))))
        flooder.sendall(HELLO)
        assert flooder.recv(12).endswith(b" 101")
        flooder.sendall(frame("x" * 60_000))
    assert attempt(stack, server, "ada")[1].startswith('40{"sid"')


@pytest.mark.long
def test_many_strangers_with_little_each_leave_the_others_their_service(
    start: Callable[..., SocketServer], stack: ExitStack
) -> None:
    server = start(HOLDFAST_SOCKET_AUTH_SECONDS="60")
    witness = stack.enter_context(Witness(server))
    strangers = [stack.enter_context(closing(socket.create_connection(address(server)))) for _ in range(900)]
    for stranger in strangers:
        stranger.sendall(HELLO)
        assert stranger.recv(12).endswith(b" 101")
    witness.measure(rounds=20)
    quiet = median(witness.lags)
    for stranger in strangers:
        stranger.sendall(frame('42["x"]') * 70)  # each one would have the budget for so much, but for its address
    witness.measure(rounds=20)
    assert median(witness.lags) <= 10 * quiet
