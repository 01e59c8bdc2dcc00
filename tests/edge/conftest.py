"""The servers that hostile clients attack: the program `web` on SQLite, and `realtime`."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest

from tests.edge.web.web_server import WebServer
from tests.realtime.conftest import server, start
from tests.services.guard import Guard
from tests.services.redis import RedisServer
from tests.services.sqlite import SqliteDatabases

__all__ = ["server", "start"]


@pytest.fixture(scope="module")
def start_web(
    guard: Guard, sqlite_databases: SqliteDatabases, redis_server: RedisServer
) -> Iterator[Callable[..., WebServer]]:
    """`start_web("name", HOLDFAST_CLIENT_SECONDS="1")` runs a server until the tests of the file are done."""
    with ExitStack() as stack:

        def start(name: str, **settings: str) -> WebServer:
            url = stack.enter_context(sqlite_databases.fresh())
            return stack.enter_context(WebServer(guard, url, redis_server, f"edge-{name}", **settings))

        yield start


@pytest.fixture(scope="module")
def web(start_web: Callable[..., WebServer]) -> WebServer:
    """A server with the default settings."""
    return start_web("web")
