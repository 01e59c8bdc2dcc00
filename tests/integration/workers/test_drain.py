"""A worker drains before it ends. Short replies end; it gives back the others, which run again at once elsewhere."""

import time

import pytest
from dramatiq import Worker
from flask import Flask
from redis import Redis

from shared.actions.queue.hand_over import REPLIES
from shared.actions.replies.claim import claim_reply
from shared.actions.replies.release import release_reply
from shared.core import current_link
from shared.models import ChatSession, User
from shared.redis.broker import worker_broker
from shared.settings import Settings
from tests.channel import Channel
from tests.eventually import Stopwatch, eventually
from tests.factories import a_claim, a_post, change, meanwhile, money_of, nothing_changes, on_sqlite_only, the_message
from tests.fake_model import FakeModel
from workers.middleware import DrainMiddleware
from workers.relay import Relay
from workers.reply import Desk, write_reply
from workers.watchdog import Watchdog


@pytest.fixture
def next_desk(core: Flask, settings: Settings, desk: Desk) -> Desk:
    """The desk of another worker, which does not drain."""
    other = Desk(desk.provider, Relay(current_link()), Watchdog(core, settings))
    other.relay.start()
    other.watchdog.start()
    return other


@pytest.mark.settings(drain_seconds=6, silence_timeout=15)
def test_a_reply_that_does_not_end_in_time_runs_again_at_once(
    core: Flask,
    chat: ChatSession,
    user: User,
    desk: Desk,
    next_desk: Desk,
    fake_model: FakeModel,
    channel: Channel,
    redis: Redis,
) -> None:
    # Given a reply with text that the tabs show already
    posted = a_post(chat, "Hello fake:chunks=3,gate=door,signed")
    redis.flushall()
    with meanwhile(core, lambda: write_reply(posted.reply.id, desk)):
        eventually(lambda: channel.named("message.delta"))
        # When its worker drains
        started, watch = time.monotonic(), Stopwatch()
        desk.watchdog.drain()
        desk.watchdog.drain()  # a second signal prolongs nothing
    # Then it gives the reply back in time: this is no failure, and the reply is on the queue again
    assert time.monotonic() - started > 3.9
    assert watch.seconds < 6
    row = the_message(posted.reply.id)
    assert (row.status, row.drains, row.failures, row.attempt) == ("pending", 1, 0, 1)
    assert row.dispatched_at
    assert (row.lease_until, row.claimed_by) == (None, None)
    assert redis.llen("holdfast:test:queue:replies") == 1
    assert fake_model.requests[0].ending == "client closed"
    # And the next worker's text replaces the earlier text
    fake_model.open_gate("door")
    write_reply(posted.reply.id, next_desk)
    row = the_message(posted.reply.id)
    assert (row.status, row.content, row.attempt) == ("completed", "word0@2 word1@2 word2@2 ", 2)
    assert money_of(user.id) == (297, 0)
    assert channel.names().count("message.completed") == 1


def test_what_is_written_alone_will_be_so_again(chat: ChatSession) -> None:
    claim = a_claim(a_post(chat))
    change(claim.id, claimed_by="worker 2, alone")
    assert release_reply(claim)
    assert (again := claim_reply(claim.id, "worker 3"))
    assert again.alone


@on_sqlite_only
def test_who_drains_leaves_to_others_what_is_on_the_queue(
    core: Flask, chat: ChatSession, settings: Settings, desk: Desk, redis: Redis
) -> None:
    broker = worker_broker(settings, [])
    consumer = broker.consume(REPLIES, prefetch=1)
    a_post(chat)
    DrainMiddleware(broker, desk.watchdog, settings.drain_seconds).before_worker_shutdown(broker, Worker(broker))
    assert [next(consumer) for _ in range(3)] == [None, None, None]
    assert redis.llen("holdfast:test:queue:replies") == 1
    consumer.close()
    broker.close()


@on_sqlite_only
@pytest.mark.settings(drain_seconds=3.0)
def test_a_short_reply_ends_by_itself(
    core: Flask, chat: ChatSession, desk: Desk, fake_model: FakeModel, channel: Channel
) -> None:
    posted = a_post(chat, "Hello fake:chunks=3,gate=door")
    with meanwhile(core, lambda: write_reply(posted.reply.id, desk)):
        eventually(lambda: channel.named("message.delta"))
        desk.watchdog.drain()
        fake_model.open_gate("door")
    assert (the_message(posted.reply.id).status, the_message(posted.reply.id).drains) == ("completed", 0)


@pytest.mark.parametrize(
    ("drains", "failures", "then"),
    [(0, 0, ("pending", 1, 0)), (1, 1, ("pending", 2, 1)), (2, 0, ("pending", 3, 1)), (2, 1, ("running", 2, 1))],
)
def test_the_third_drain_counts_as_a_failure(
    drains: int, failures: int, then: tuple[str, int, int], chat: ChatSession
) -> None:
    claim = a_claim(a_post(chat))
    change(claim.id, drains=drains, failures=failures)
    assert release_reply(claim) == (then[0] == "pending")
    row = the_message(claim.id)
    assert (row.status, row.drains, row.failures) == then


@on_sqlite_only
@pytest.mark.settings(drain_seconds=0.6, model="fake:hang")
def test_where_the_failures_are_used_up_by_that_it_fails(chat: ChatSession, user: User, desk: Desk) -> None:
    posted = a_post(chat)
    change(posted.reply.id, drains=2, failures=1)
    desk.watchdog.drain()
    write_reply(posted.reply.id, desk)
    row = the_message(posted.reply.id)
    assert (row.status, row.error_code) == ("failed", "worker_lost")
    assert money_of(user.id) == (300, 0)


def test_an_attempt_that_was_replaced_gives_nothing_back(chat: ChatSession) -> None:
    claim = a_claim(a_post(chat))
    change(claim.id, attempt=2)
    with nothing_changes():
        assert not release_reply(claim)
