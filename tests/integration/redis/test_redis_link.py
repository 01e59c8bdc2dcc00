"""The link to Redis logs refused commands, and pauses its trips when Redis takes no writes."""

import logging

import pytest
from redis import Redis, ResponseError

from shared.redis.link import RedisLink
from tests.services.redis import RedisServer


def test_a_refused_command_is_logged_without_what_it_says_of_whom(
    own_redis: RedisServer, caplog: pytest.LogCaptureFixture
) -> None:
    link = RedisLink(own_redis.url, "holdfast:test")
    with Redis.from_url(own_redis.url) as redis:
        redis.config_set("maxmemory", 1)
    pipe = link.pipeline()
    pipe.set("somebody's secret", "text")
    with caplog.at_level(logging.WARNING):
        assert link.send(pipe) is None
    assert link.broken
    assert "redis.trip_failed: command not allowed when used memory > 'maxmemory'" in caplog.text
    assert "secret" not in caplog.text


def test_a_refused_command_stops_nothing_else(own_redis: RedisServer, caplog: pytest.LogCaptureFixture) -> None:
    link = RedisLink(own_redis.url, "holdfast:test")
    with Redis.from_url(own_redis.url) as redis:
        redis.set("key", "no hash")
    for _ in range(3):
        pipe = link.pipeline()
        pipe.hgetall("key")
        assert link.send(pipe) is None
    assert not link.broken
    pipe = link.pipeline()
    pipe.get("key")
    assert link.send(pipe) == [b"no hash"]
    assert caplog.text.count("WRONGTYPE") == 1  # logged once in a while only


def test_a_redis_that_takes_no_writes_stops_trips_for_a_moment(own_redis: RedisServer) -> None:
    link = RedisLink(own_redis.url, "holdfast:test")
    with Redis.from_url(own_redis.url) as redis:
        redis.replicaof("127.0.0.1", 1)
    with link.trip() as pipe:
        pipe.set("key", "text")
    assert link.broken


def test_a_redis_that_can_not_save_stops_trips_for_a_moment() -> None:
    link = RedisLink("redis://127.0.0.1:1", "holdfast:test")
    link.trip_failed(ResponseError("Command # 1 (SET key) of pipeline caused error: MISCONF Redis has to save"))
    assert link.broken


def test_what_gets_no_answer_stops_trips_for_a_moment(own_redis: RedisServer) -> None:
    link = RedisLink(own_redis.url, "holdfast:test")
    own_redis.kill()
    pipe = link.pipeline()
    pipe.get("key")
    assert link.send(pipe) is None
    assert link.broken
