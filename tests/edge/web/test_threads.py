"""Requests that end their thread, hold it, or lose their client: no thread and no client is lost."""

import socket
import struct
from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest

from tests.edge.web.unruly import gate
from tests.edge.web.web_server import WebServer, answer_on, code_of, request
from tests.eventually import eventually

CLOSES = "Connection: close"
GIVEN_UP = (503, "request_given_up")


@pytest.fixture(scope="module")
def unruly(start_web: Callable[..., WebServer]) -> WebServer:
    """A server with two threads, so an address has one."""
    return start_web("unruly", module="tests.edge.web.unruly", HOLDFAST_WEB_THREADS="2", HOLDFAST_DRAIN_SECONDS="0.5")


@pytest.fixture
def shut(unruly: WebServer) -> Iterator[ExitStack]:
    """The gate is shut until this stack is closed."""
    with ExitStack() as stack:
        stack.enter_context(gate(unruly.folder, unruly.port))
        yield stack


@pytest.fixture
def held(unruly: WebServer, shut: ExitStack) -> Iterator[socket.socket]:
    """A client whose request holds the thread of its address, until the gate opens."""
    told = unruly.service.log.count("it holds")
    with unruly.connect(request("/holds", "", CLOSES)) as client:
        eventually(lambda: unruly.service.log.count("it holds") > told)
        yield client


@pytest.mark.parametrize("path", ["/exits", "/fails"])
def test_a_thread_and_its_client_outlive_whatever_the_work_raises(unruly: WebServer, path: str) -> None:
    for _ in range(5):
        status, headers, body = unruly.asked(request(path))
        assert (status, code_of(body)) == GIVEN_UP
        assert headers["content-type"] == "application/problem+json"
        assert headers["retry-after"]
    assert unruly.healthy


@pytest.mark.parametrize("reset", [False, True], ids=["closed", "reset"])
def test_the_work_of_a_client_that_has_gone_is_not_begun(
    unruly: WebServer, held: socket.socket, shut: ExitStack, reset: bool
) -> None:
    told = unruly.service.log.count("it tells")
    gone = unruly.connect(request("/tells", "", CLOSES))
    with unruly.connect(request("/tells", "", CLOSES)) as stays:
        if reset:
            gone.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        port = gone.getsockname()[1]
        gone.close()
        eventually(lambda: not unruly.holds_port(port))
        shut.close()
        assert answer_on(held)[0] == answer_on(stays)[0] == 404
    assert unruly.service.log.count("it tells") == told + 1


def test_work_that_has_begun_goes_on_without_its_client(
    unruly: WebServer, held: socket.socket, shut: ExitStack
) -> None:
    ended = unruly.service.log.count("it held")
    held.close()
    shut.close()
    eventually(lambda: unruly.service.log.count("it held") > ended)
    assert unruly.healthy


def test_a_client_that_only_closes_its_side_gets_the_answer_to_work_that_has_begun(
    unruly: WebServer, held: socket.socket, shut: ExitStack
) -> None:
    held.shutdown(socket.SHUT_WR)
    shut.close()
    assert answer_on(held)[0] == 404


def test_a_drain_that_takes_too_long_tells_each_client_to_come_again(unruly: WebServer, held: socket.socket) -> None:
    begun, told = request("/chats", "", "Content-Length: 2", method="POST") + b"{", len(unruly.service.log)
    with ExitStack() as backlog, unruly.connect(request("/tells", "", CLOSES)) as waits, unruly.connect(begun) as sends:
        for _ in range(30):
            backlog.enter_context(unruly.connect(4 * request("/tells")))
        assert unruly.service.stop() == 0
        for client in (held, waits, sends):
            status, headers, body = answer_on(client)
            assert (status, code_of(body)) == GIVEN_UP
            assert headers["retry-after"]
    assert len(unruly.service.log[told:].splitlines()) <= 2  # one has the number of requests without an answer
    unruly.start_again()
