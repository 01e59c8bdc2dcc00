"""A shared socket server for tests that leave it unchanged. A test that changes its server starts its own."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest

from tests.realtime.socket_server import SocketServer
from tests.services.guard import Guard
from tests.services.redis import RedisServer


@pytest.fixture(scope="module")
def server(guard: Guard, redis_server: RedisServer) -> Iterator[SocketServer]:
    """One server for all tests of a file. Each test has its own users."""
    with SocketServer(guard, redis_server) as server:
        yield server


@pytest.fixture
def start(guard: Guard, own_redis: RedisServer) -> Iterator[Callable[..., SocketServer]]:
    """`start(HOLDFAST_MAX_SOCKETS="3")` runs this test's own server, on its own Redis."""
    with ExitStack() as stack:
        yield lambda name="own-sockets", **settings: stack.enter_context(
            SocketServer(guard, own_redis, name, **settings)
        )
