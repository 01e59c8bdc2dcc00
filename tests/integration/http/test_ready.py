"""`web` is ready for requests as long as its database answers. Redis does not change that."""

from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient

from tests.services.redis import RedisServer


def test_ready_while_the_database_answers(client: FlaskClient) -> None:
    assert client.get("/readyz").json == {"status": "ok"}
    assert client.get("/healthz").json == {"status": "ok"}


@pytest.fixture
def redis_url(own_redis: RedisServer) -> str:
    return own_redis.url


def test_redis_away_does_not_make_it_unready(client: FlaskClient, own_redis: RedisServer) -> None:
    own_redis.kill()
    assert client.get("/readyz").status_code == 200


@pytest.mark.parametrize("database_url", ["sqlite:////nowhere/at/all.db", "postgresql://nobody@127.0.0.1:1/none"])
def test_without_its_database_it_is_alive_but_not_ready(app: Flask, database_url: str, tmp_path: Path) -> None:
    client = app.test_client()
    answer = client.get("/readyz")
    assert (answer.status_code, answer.json["code"]) == (503, "database_unavailable")
    assert answer.headers["Retry-After"]
    assert client.get("/healthz").status_code == 200
