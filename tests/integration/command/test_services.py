"""The test services: fresh databases, an empty Redis, and nothing that outlives a killed test run."""

import os
import subprocess
import sys
from pathlib import Path

import psutil
import pytest
from flask import Flask
from redis import Redis
from redis.exceptions import ConnectionError as RefusedError
from redis.exceptions import TimeoutError as FrozenError
from sqlalchemy import func, select, text

from shared.database.tables import db
from shared.settings import Settings
from tests.eventually import eventually
from tests.factories import a_post
from tests.services.redis import RedisServer


@pytest.mark.parametrize("again", [1, 2])
def test_each_test_has_a_migrated_database_without_rows(core: Flask, again: int) -> None:
    with db.engine.begin() as connection:
        assert connection.execute(text("SELECT count(*) FROM alembic_version")).scalar() == 1
        assert connection.execute(text("SELECT count(*) FROM users")).scalar() == 0
        connection.execute(text("CREATE TABLE left_behind (id int)"))


@pytest.mark.parametrize("again", [1, 2, 3])
def test_rows_of_one_test_do_not_reach_the_next(core: Flask, again: int) -> None:
    with db.engine.connect() as connection:
        counts = [
            connection.execute(select(func.count()).select_from(table)).scalar() for table in db.metadata.sorted_tables
        ]
    assert counts == [0] * len(counts)
    a_post(key="a key")


@pytest.mark.parametrize("again", [1, 2])
def test_each_test_has_an_empty_redis(redis_url: str, again: int) -> None:
    with Redis.from_url(redis_url) as redis:
        assert redis.dbsize() == 0
        redis.set("left", "behind")


@pytest.mark.settings(model="fake:hang")
def test_a_test_can_change_settings(settings: Settings) -> None:
    assert settings.model == "fake:hang"


def test_a_redis_of_its_own_can_be_frozen_killed_and_started_again(own_redis: RedisServer) -> None:
    with Redis.from_url(own_redis.url, socket_timeout=0.1) as redis:
        own_redis.freeze()
        with pytest.raises(FrozenError):
            redis.ping()
        own_redis.thaw()
        assert redis.ping()
        own_redis.kill()
        with pytest.raises(RefusedError):
            redis.ping()
        own_redis.start()
        assert redis.ping()


def test_nothing_outlives_a_killed_test_run() -> None:
    # Given a test run in its own process, with real services
    alone = {name: value for name, value in os.environ.items() if name != "TEST_DATABASE_URL"}
    command, pipe = [sys.executable, "-c", _HOLDING_SERVICES], subprocess.PIPE
    with subprocess.Popen(command, env=alone, stdin=pipe, stdout=pipe, text=True) as run:
        assert run.stdout
        folder = Path(run.stdout.readline().strip())
        started = psutil.Process(run.pid).children(recursive=True)
        assert {"postgres", "valkey-server"} <= {process.name() for process in started}
        assert folder.exists()
        # When it is killed
        run.kill()
    # Then all of them end, the guard too, and their folder is gone
    eventually(lambda: not any(runs(process) for process in started))
    eventually(lambda: not folder.exists())


def runs(process: psutil.Process) -> bool:
    try:
        return bool(process.status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False


_HOLDING_SERVICES = """
from tests.services.guard import Guard
from tests.services.postgres import postgres
from tests.services.redis import RedisServer

with Guard() as guard, postgres(guard), RedisServer(guard):
    print(guard.folder, flush=True)
    input()
"""
