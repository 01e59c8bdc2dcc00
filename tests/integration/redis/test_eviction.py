"""A Redis that may evict keys loses jobs silently. Production does not start on one; development logs a warning."""

from pathlib import Path

import pytest
from redis import Redis

from shared.command.up import read_procfile
from tests.environment import environment
from tests.eventually import eventually
from tests.services.guard import Guard
from tests.services.programs import ROOT, Programs
from tests.services.redis import RedisServer

PROGRAMS = read_procfile(ROOT / "Procfile")


@pytest.fixture
def evicting(own_redis: RedisServer) -> RedisServer:
    with Redis.from_url(own_redis.url) as redis:
        redis.config_set("maxmemory-policy", "allkeys-lru")
    return own_redis


def _programs(guard: Guard, redis: RedisServer, folder: Path, env: str) -> Programs:
    values = environment(f"sqlite:///{folder}/none.db", redis.url, folder, "http://127.0.0.1:1/v1")
    return Programs(guard, f"evicting-{env}", values | {"HOLDFAST_ENV": env, "HOLDFAST_LEASE_SECONDS": "10"})


@pytest.mark.parametrize("name", PROGRAMS)
def test_no_program_starts_in_production_on_a_redis_that_may_evict(
    name: str, guard: Guard, evicting: RedisServer, tmp_path: Path
) -> None:
    program = _programs(guard, evicting, tmp_path, "production")[name]
    program.start()
    eventually(lambda: not program.alive, within=20)
    assert "set its maxmemory-policy to noeviction, not allkeys-lru" in program.log
    assert "Traceback" not in program.log


def test_in_development_it_is_a_warning(guard: Guard, evicting: RedisServer, tmp_path: Path) -> None:
    with _programs(guard, evicting, tmp_path, "development")["sweeper"] as sweeper:
        eventually(lambda: "redis.may_evict" in sweeper.log, within=20)
        assert sweeper.alive


def test_a_redis_that_is_away_does_not_keep_a_program_from_starting(
    guard: Guard, own_redis: RedisServer, tmp_path: Path
) -> None:
    own_redis.kill()
    with _programs(guard, own_redis, tmp_path, "production")["sweeper"] as sweeper:
        eventually(lambda: "redis.not_checked" in sweeper.log, within=20)
        assert sweeper.alive
