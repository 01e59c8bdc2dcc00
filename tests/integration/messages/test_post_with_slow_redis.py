"""Redis answers, but slowly. The clock bounds the time that a post spends on it, and the answer does not."""

from collections.abc import Iterator
from dataclasses import replace

import pytest
from flask.testing import FlaskClient
from redis import Redis

from shared.models import ChatSession
from shared.redis.link import RedisLink
from shared.settings import Settings
from tests.eventually import at_most
from tests.factories import on_sqlite_only
from tests.services.redis import RedisServer
from tests.services.slow_proxy import SlowProxy


@pytest.fixture(params=[0.2, 0.4])
def slow_redis(request: pytest.FixtureRequest, own_redis: RedisServer) -> Iterator[SlowProxy]:
    with SlowProxy(own_redis.url.removeprefix("unix://"), late=request.param) as proxy:
        yield proxy


@pytest.fixture(params=["as anybody", "with a password and a number"])
def settings(
    request: pytest.FixtureRequest, settings: Settings, own_redis: RedisServer, slow_redis: SlowProxy
) -> Settings:
    if request.param == "as anybody":
        return replace(settings, redis_url=slow_redis.url)
    with Redis.from_url(own_redis.url) as admin:
        admin.acl_setuser("web", enabled=True, passwords="+secret", commands=["+@all"], keys="*", channels="*")
    return replace(settings, redis_url=slow_redis.url.replace("redis://", "redis://web:secret@") + "/1")


@on_sqlite_only
def test_posts_are_accepted_in_time_while_redis_is_slow(me: FlaskClient, chat: ChatSession) -> None:
    for _ in range(2):
        with at_most(2):
            answer = me.post(f"/chats/{chat.id}/messages", json={"content": "Hello"})
        assert answer.status_code == 202


def test_a_new_connection_asks_nothing_before_the_trip(own_redis: RedisServer) -> None:
    with Redis.from_url(own_redis.url) as admin:
        admin.config_resetstat()
        with RedisLink(own_redis.url, "holdfast:test").trip() as pipe:
            pipe.set("key", "text")
        asked = set(admin.info("commandstats"))
    assert asked - {"cmdstat_config|resetstat", "cmdstat_info"} == {"cmdstat_set"}
