"""A socket server for the tests of a file that leave it as it was, and one of its own for a test that does not."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest

from tests.realtime.socket_server import SocketServer
from tests.services.guard import Guard
from tests.services.redis import RedisServer


@pytest.fixture(scope="module")
def server(guard: Guard, redis_server: RedisServer) -> Iterator[SocketServer]:
    """Shared by the tests of a file, each with users of its own."""
    with SocketServer(guard, redis_server) as server:
        yield server


@pytest.fixture
def start(guard: Guard, own_redis: RedisServer) -> Iterator[Callable[..., SocketServer]]:
    """`start(HOLDFAST_MAX_SOCKETS="3")` runs a server of this test's own, on a Redis of its own."""
    with ExitStack() as stack:
        yield lambda name="own-sockets", **settings: stack.enter_context(
            SocketServer(guard, own_redis, name, **settings)
        )
