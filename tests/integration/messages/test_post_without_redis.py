"""A post is accepted without Redis. A sweep makes up for the hand-over that Redis missed."""

import threading
import time
from collections.abc import Iterator
from dataclasses import replace

import pytest
from flask import Flask
from flask.testing import FlaskClient
from redis import Redis

from shared.actions.queue.hand_over import hand_over
from shared.models import ChatSession
from shared.redis.link import BREAK, TRIP_TIMEOUT, RedisLink
from shared.settings import Settings
from tests.eventually import Stopwatch, at_most, eventually, joined
from tests.factories import a_post, money_of, on_sqlite_only, the_message
from tests.services.redis import RedisServer
from workers.sweeper import sweep

QUEUE = "holdfast:test:queue:replies"


@pytest.fixture
def settings(settings: Settings, own_redis: RedisServer) -> Settings:
    return replace(settings, redis_url=own_redis.url)


@pytest.fixture
def redis(own_redis: RedisServer) -> Iterator[Redis]:
    with Redis.from_url(own_redis.url) as redis:
        yield redis


def accepted(me: FlaskClient, chat: ChatSession) -> tuple[str, float]:
    """The id of the reply, and the seconds that the post took."""
    watch = Stopwatch()
    answer = me.post(f"/chats/{chat.id}/messages", json={"content": "Hello"})
    assert answer.status_code == 202
    return answer.json["reply"]["id"], watch.seconds


def is_handed_over_by_a_sweep(reply_id: str, redis: Redis) -> None:
    def swept() -> bool:
        sweep()
        return any(reply_id.encode() in job for job in redis.hvals(f"{QUEUE}.msgs"))

    eventually(swept)  # until this process's breaker allows another try


def test_a_post_is_accepted_while_redis_refuses(
    me: FlaskClient, chat: ChatSession, core: Flask, own_redis: RedisServer, redis: Redis
) -> None:
    sweep()  # from now on only a lost marker makes the sweep hurry
    own_redis.kill()
    reply_id, took = accepted(me, chat)
    assert took < 1
    assert money_of(chat.owner_id) == (297, 3)
    own_redis.start()
    redis.flushall()  # as if Redis had kept nothing
    is_handed_over_by_a_sweep(reply_id, redis)
    assert the_message(reply_id).handovers >= 1


def test_a_post_is_accepted_while_redis_is_frozen(
    me: FlaskClient, chat: ChatSession, core: Flask, own_redis: RedisServer, redis: Redis
) -> None:
    own_redis.freeze()
    reply_id, took = accepted(me, chat)
    assert took < 2
    # for a moment, the next posts do not even try Redis
    _, took = accepted(me, chat)
    assert took < 0.4
    own_redis.thaw()
    redis.flushall()
    is_handed_over_by_a_sweep(reply_id, redis)


def test_reading_goes_on_while_redis_is_frozen(me: FlaskClient, chat: ChatSession, own_redis: RedisServer) -> None:
    reply_id, _ = accepted(me, chat)
    own_redis.freeze()
    with at_most(1):
        answer = me.get(f"/chats/{chat.id}/messages/{reply_id}")
    assert (answer.status_code, answer.json["status"]) == (200, "pending")


def test_hand_overs_resume_by_themselves(core: Flask, own_redis: RedisServer, redis: Redis) -> None:
    own_redis.kill()
    a_post()
    own_redis.start()

    def handed_over() -> bool:
        return a_post().reply.id.encode() in b"".join(redis.hvals(f"{QUEUE}.msgs"))

    assert not handed_over()
    eventually(handed_over, within=BREAK + 5)


@on_sqlite_only
def test_a_hand_over_without_an_answer_is_not_sent_again(core: Flask, own_redis: RedisServer, redis: Redis) -> None:
    hand_over(["the first"])  # opens the connection
    before = redis.llen(QUEUE)
    # Given a Redis that answers again right after the producer has given up
    own_redis.freeze()
    back = threading.Timer(1.3 * TRIP_TIMEOUT, own_redis.thaw)
    back.start()
    hand_over(["the second"])
    joined(back)
    eventually(lambda: redis.llen(QUEUE) > before)
    assert redis.llen(QUEUE) == before + 1


@on_sqlite_only
def test_a_post_opens_one_connection(me: FlaskClient, chat: ChatSession, redis: Redis) -> None:
    before = redis.info("stats")["total_connections_received"]
    accepted(me, chat)
    assert redis.info("stats")["total_connections_received"] == before + 1


@on_sqlite_only
def test_after_a_trip_that_took_too_long_a_hand_over_is_left_to_the_sweep(core: Flask, redis: Redis) -> None:
    link: RedisLink = core.extensions["redis_link"]
    before = redis.llen(QUEUE)
    link.trip_made(began=time.monotonic() - TRIP_TIMEOUT - 0.01)
    hand_over(["the one after it"])
    assert redis.llen(QUEUE) == before
    with link.trip() as pipe:  # events still reach Redis
        pipe.set("key", "text")
    assert redis.get("key") == b"text"
    link.trip_made(began=time.monotonic())
    hand_over(["the one after a good trip"])
    assert redis.llen(QUEUE) == before + 1
