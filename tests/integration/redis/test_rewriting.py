"""Redis cannot write its append-only file anew: the tries become rare, and the log has a line for each change."""

import logging
from typing import Any

import pytest
from redis.exceptions import ResponseError

from shared.redis import persistence
from shared.redis.link import RedisLink
from shared.redis.persistence import Rewriting

MINUTES = 10


class FailingRedis:
    """A Redis with an append-only file, whose disk is full."""

    def __init__(self) -> None:
        self.client = self
        self.tries, self.status, self.refusal, self.enabled = 0, "err", "", 1

    def info(self, _section: str) -> dict[str, Any]:
        return {"aof_enabled": self.enabled, "aof_last_bgrewrite_status": self.status}

    def execute_command(self, _command: str) -> None:
        self.tries += 1
        if self.refusal:
            raise ResponseError(self.refusal)


@pytest.fixture
def now(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    now = [1000.0]
    monkeypatch.setattr(persistence.time, "monotonic", lambda: now[0])
    return now


def sweep_for(minutes: int, rewriting: Rewriting, redis: Any, now: list[float]) -> None:
    link: RedisLink = redis
    for _ in range(minutes * 30):
        assert not rewriting.is_done(link)
        now[0] += 2


@pytest.mark.parametrize("refusal", ["", "ERR Can't execute an AOF background rewriting"])
def test_after_failures_the_tries_become_rare_and_one_line_tells(
    refusal: str, now: list[float], caplog: pytest.LogCaptureFixture
) -> None:
    redis: Any = FailingRedis()
    redis.refusal = refusal
    rewriting = Rewriting()
    assert rewriting.begin(redis)
    sweep_for(MINUTES, rewriting, redis, now)
    assert MINUTES <= redis.tries - 1 <= MINUTES + 6
    assert [record.getMessage().partition(":")[0] for record in caplog.records] == ["redis.not_rewritten"]


def test_a_success_is_told_once_and_the_next_failure_is_tried_again_soon(
    now: list[float], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    redis: Any = FailingRedis()
    rewriting = Rewriting()
    rewriting.begin(redis)
    sweep_for(2, rewriting, redis, now)
    redis.status = "ok"
    assert rewriting.is_done(redis)
    assert rewriting.is_done(redis)
    redis.status, redis.tries = "err", 0
    sweep_for(1, rewriting, redis, now)
    assert redis.tries >= 4
    told = [record.getMessage().partition(":")[0] for record in caplog.records]
    assert told == ["redis.not_rewritten", "redis.rewritten", "redis.not_rewritten"]


def test_after_failures_an_operator_may_turn_the_file_off(now: list[float]) -> None:
    redis: Any = FailingRedis()
    rewriting = Rewriting()
    rewriting.begin(redis)
    sweep_for(1, rewriting, redis, now)
    redis.enabled = 0
    assert rewriting.is_done(redis)


def test_a_redis_that_forbids_rewrites_is_told_of_once_and_holds_nothing_up(
    now: list[float], caplog: pytest.LogCaptureFixture
) -> None:
    redis: Any = FailingRedis()
    redis.status, redis.refusal = "ok", "NOPERM this user has no permissions to run the 'bgrewriteaof' command"
    rewriting = Rewriting()
    for _ in range(3):
        assert rewriting.begin(redis)
        assert rewriting.is_done(redis)
    assert len(caplog.records) == 1
