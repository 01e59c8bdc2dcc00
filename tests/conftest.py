"""The fixtures of all tests. Real services last as long as the run; each test gets a fresh database."""

import os
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient
from playwright.sync_api import Browser
from sqlalchemy import QueuePool

from api.app import create_app
from shared.core import create_core
from shared.database.tables import db
from shared.settings import Settings, load_settings
from tests.contracts.wire.declared import Declared
from tests.environment import environment
from tests.eventually import eventually
from tests.fake_model import FakeModel
from tests.services.browser import chromium
from tests.services.guard import Guard
from tests.services.postgres import PostgresDatabases, postgres
from tests.services.redis import RedisServer
from tests.services.sqlite import SqliteDatabases

pytest_plugins = ["tests.lanes", "tests.run.made_once"]


@pytest.fixture(scope="session")
def guard() -> Iterator[Guard]:
    with Guard() as guard:
        yield guard


@pytest.fixture(scope="session")
def sqlite_databases(guard: Guard) -> SqliteDatabases:
    return SqliteDatabases(guard.memory)


@pytest.fixture(scope="session")
def postgresql_databases(guard: Guard) -> Iterator[PostgresDatabases]:
    with postgres(guard) as databases:
        yield databases


@pytest.fixture(scope="session")
def redis_server(guard: Guard) -> Iterator[RedisServer]:
    with RedisServer(guard) as server:
        yield server


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest) -> Iterator[str]:
    """A migrated, empty database; the test runs once on each kind."""
    with request.getfixturevalue(f"{request.param}_databases").fresh() as url:
        yield url


@pytest.fixture
def redis_url(redis_server: RedisServer) -> str:
    """An empty Redis. The tests before and after use the same server."""
    redis_server.empty()
    return redis_server.url


@pytest.fixture
def own_redis(guard: Guard) -> Iterator[RedisServer]:
    """A Redis of this test's own. The test may kill, freeze and start it again."""
    with RedisServer(guard, "own-redis") as server:
        yield server


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """One browser for the whole process, because Playwright allows no second one."""
    with chromium() as browser:
        yield browser


@pytest.fixture
def fake_model() -> Iterator[FakeModel]:
    with FakeModel() as model:
        yield model


@pytest.fixture
def settings(
    request: pytest.FixtureRequest,
    database_url: str,
    redis_url: str,
    fake_model: FakeModel,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Settings:
    """The settings as a program reads them. `@pytest.mark.settings(model="fake:hang")` changes some for a test."""
    for name in os.environ:
        if name.startswith("HOLDFAST_"):
            monkeypatch.delenv(name)
    for name, value in environment(database_url, redis_url, tmp_path, fake_model.base_url).items():
        monkeypatch.setenv(name, value)
    changes = request.node.get_closest_marker("settings")
    return replace(load_settings(), **changes.kwargs) if changes else load_settings()


@pytest.fixture
def core(settings: Settings) -> Iterator[Flask]:
    """The app that workers and actions run in, with its app context pushed."""
    core = create_core(settings)
    with core.app_context():
        yield core
        _let_go_of_the_database()


@pytest.fixture
def app(settings: Settings, another_app: Callable[[Settings], Flask]) -> Flask:
    return another_app(settings)


@pytest.fixture
def another_app() -> Iterator[Callable[[Settings], Flask]]:
    """`another_app(settings)` is like one more process of the API."""
    apps: list[Flask] = []
    declared: list[Declared] = []

    def create(settings: Settings) -> Flask:
        apps.append(create_app(settings))
        declared.append(Declared(apps[-1]))
        return apps[-1]

    yield create
    assert {complaint for each in declared for complaint in each.complaints} == set()
    for app in apps:
        with app.app_context():
            _let_go_of_the_database()


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    return app.test_client()


def _let_go_of_the_database() -> None:
    """Close all connections. A thread of the test may hold one for a moment longer, and would leave it open."""
    db.session.remove()
    pool = db.engine.pool
    assert isinstance(pool, QueuePool)
    eventually(lambda: pool.checkedout() == 0)
    db.engine.dispose()
