"""The addresses of Redis and of the database. A refusal of one keeps its password quiet."""

import pytest
from sqlalchemy import make_url

from shared.redis.link import connect
from tests.unit.shared.settings.loading import load, refusal


@pytest.mark.parametrize(
    "url",
    [
        "localhost:6379",
        "redis.example",
        "http://localhost:6379",
        "redis://localhost:port",
        "redis://localhost:99999",
        "redis://localhost/first",
        "redis://me:secret[@localhost",
        "redis://me:sec#ret@localhost",
        "redis://me:secret@localhost?db=first",
        "redis://me:secret@localhost?socket_timeout=60",
        "redis://me:secret@localhost/0?socket_connect_timeout=60",
        "unix://",
    ],
)
def test_an_address_that_is_no_redis_is_refused(url: str, environment: dict[str, str]) -> None:
    message = refusal(environment, REDIS_URL=url)
    assert message.startswith("REDIS_URL ")
    assert len(message.splitlines()) == 1
    assert "secret" not in message


@pytest.mark.parametrize(
    "url",
    [
        "redis://localhost",
        "redis://:secret@localhost:6379/3",
        "redis://me:s%40crets@[::1]:6379/",
        "rediss://localhost:6379/0?ssl_ca_certs=ca.pem",
        "unix:///run/redis.sock",
        "unix:///run/redis.sock?db=3",
    ],
)
def test_an_address_of_a_redis_is_taken(url: str, environment: dict[str, str]) -> None:
    assert load(environment, REDIS_URL=url).redis_url == url
    assert connect(url, 1.0)


@pytest.mark.parametrize(
    "url",
    [
        "sqlite",
        "sqlite://",
        "sqlite:///",
        "sqlite:holdfast.db",
        "postgresql",
        "postgresql:/x",
        "postgresql://me:secret@localhost:port/x",
        "postgresql://me:sec@ret@localhost/x",
    ],
)
def test_an_address_that_can_not_be_read_is_refused(url: str, environment: dict[str, str]) -> None:
    message = refusal(environment, DATABASE_URL=url)
    assert message.startswith("DATABASE_URL can't be read: ")
    assert "sec" not in message.removeprefix("DATABASE_URL").replace("second", "")


@pytest.mark.parametrize("url", ["mysql://localhost/x", "holdfast.db", "postgres://localhost/x"])
def test_another_kind_of_database_is_refused(url: str, environment: dict[str, str]) -> None:
    assert "DATABASE_URL starts with" in refusal(environment, DATABASE_URL=url)


@pytest.mark.parametrize(
    "url",
    [
        "sqlite:////tmp/x.db",
        "postgresql://localhost/x",
        "postgresql+psycopg://me:s%40/cret@localhost:5432/x",
        "postgresql://me@[::1]:5432/x?sslmode=require",
        "postgresql:///x?host=/run/postgresql",
        "postgresql://me@/x?host=/run/postgresql",
    ],
)
def test_both_kinds_of_database_are_taken(url: str, environment: dict[str, str]) -> None:
    assert load(environment, DATABASE_URL=url).database_url
    assert make_url(url)
