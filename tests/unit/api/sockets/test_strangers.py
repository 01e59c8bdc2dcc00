"""Connections that have shown no token: each has a time limit, and of too many of one address the oldest leaves."""

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from typing import Any

import pytest

from api.sockets import strangers as module
from api.sockets.strangers import Strangers
from tests.eventually import eventually, joined, patience

PATIENCE = 0.2
MOST = 3


class Pair:
    """A connection, and its client."""

    def __init__(self, listener: socket.socket, source: str = "127.0.0.1") -> None:
        self.client = socket.create_connection(listener.getsockname(), patience(5), source_address=(source, 0))
        self.connection, _ = listener.accept()

    @property
    def open(self) -> bool:
        self.connection.send(b"x")
        return self.client.recv(1) == b"x"

    @property
    def dropped(self) -> bool:
        return self.client.recv(1) == b""


@pytest.fixture
def stack() -> Iterator[ExitStack]:
    with ExitStack() as stack:
        yield stack


@pytest.fixture
def listener(stack: ExitStack) -> socket.socket:
    return stack.enter_context(closing(socket.create_server(("127.0.0.1", 0))))


@pytest.fixture
def strangers() -> Strangers:
    return Strangers(PATIENCE, MOST)


def arrive(stack: ExitStack, listener: socket.socket, strangers: Strangers, source: str = "127.0.0.1") -> Pair:
    pair = Pair(listener, source)
    stack.enter_context(closing(pair.client))
    stack.enter_context(closing(pair.connection))
    strangers.add(pair.connection)
    return pair


def test_a_stranger_is_dropped_after_its_moment_and_not_before(
    stack: ExitStack, listener: socket.socket, strangers: Strangers
) -> None:
    pair = arrive(stack, listener, strangers)
    strangers.reap()
    assert pair.open
    time.sleep(PATIENCE)
    strangers.reap()
    assert pair.dropped


def test_one_that_is_no_stranger_any_more_stays_until_it_is_one_again(
    stack: ExitStack, listener: socket.socket, strangers: Strangers
) -> None:
    pair = arrive(stack, listener, strangers)
    strangers.remove(pair.connection)
    strangers.remove(pair.connection)
    time.sleep(PATIENCE)
    strangers.reap()
    assert pair.open
    strangers.add(pair.connection)
    strangers.reap()
    time.sleep(PATIENCE)
    strangers.reap()
    assert pair.dropped


def test_one_that_ended_by_itself_is_forgotten(stack: ExitStack, listener: socket.socket, strangers: Strangers) -> None:
    arrive(stack, listener, strangers).connection.close()
    time.sleep(PATIENCE)
    strangers.reap()
    assert len(strangers) == 0
    assert strangers._of_address == {}


def test_of_too_many_of_one_address_the_oldest_leaves_and_others_stay(
    stack: ExitStack, listener: socket.socket, strangers: Strangers
) -> None:
    other = arrive(stack, listener, strangers, "127.0.0.2")
    first, *rest = [arrive(stack, listener, strangers) for _ in range(MOST + 1)]
    assert first.dropped
    assert all(pair.open for pair in (other, *rest))
    assert len(strangers) == MOST + 1


def test_without_room_the_oldest_of_all_leaves(stack: ExitStack, listener: socket.socket, strangers: Strangers) -> None:
    assert not strangers.drop_oldest()
    first, second = (arrive(stack, listener, strangers) for _ in range(2))
    assert strangers.drop_oldest()
    assert first.dropped
    assert second.open


def test_the_strangers_of_an_address_share_a_budget_and_others_have_their_own(
    stack: ExitStack, listener: socket.socket, strangers: Strangers
) -> None:
    greedy, neighbour, friend = (arrive(stack, listener, strangers).connection for _ in range(3))
    other = arrive(stack, listener, strangers, "127.0.0.2").connection
    strangers.remove(friend)
    assert strangers.budget_of(friend) is None  # it has shown its token
    shared, others = strangers.budget_of(greedy), strangers.budget_of(other)
    assert shared
    assert others
    assert strangers.budget_of(neighbour) is shared
    assert shared.pay(1000) == 0
    assert 0 < shared.pay(500_000) < shared.pay(10**9) <= module._LONGEST_WAIT
    assert others.pay(1) == 0


@pytest.mark.parametrize("drop", [Strangers.drop_oldest, Strangers.reap])
def test_a_stranger_that_waits_or_says_goodbye_leaves_at_once_when_it_is_dropped(
    stack: ExitStack, listener: socket.socket, drop: Callable[[Strangers], object]
) -> None:
    strangers = Strangers(0.0, MOST)
    connection = arrive(stack, listener, strangers).connection
    waits, too_late = (
        threading.Thread(target=strangers.rest, args=[connection, patience(20)], daemon=True) for _ in range(2)
    )
    waits.start()
    eventually(lambda: connection in strangers._resting)
    drop(strangers)
    joined(waits)
    too_late.start()
    joined(too_late)
    assert strangers.has_dropped(connection)
    assert not strangers._resting


class Far:
    """A connection from afar. It notes whether it was shut."""

    def __init__(self, address: str) -> None:
        self._address, self.shut = address, False

    def getpeername(self) -> tuple[str, int, int, int]:
        return self._address, 1234, 0, 0

    def setsockopt(self, *_: Any) -> None: ...

    def shutdown(self, _how: int) -> None:
        self.shut = True


def test_an_ipv6_network_of_a_customer_is_one_address() -> None:
    strangers = Strangers(PATIENCE, most=1)
    first, neighbour, twin = (Far(address) for address in ("2001:db8::1", "2001:db8:0:1::1", "2001:db8::ffff:1"))
    for connection in (first, neighbour, twin):
        strangers.add(connection)  # type: ignore[arg-type]
    assert [one.shut for one in (first, neighbour, twin)] == [True, False, False]
