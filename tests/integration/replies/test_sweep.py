"""A sweep brings back lost hand-overs and the replies of dead workers. It ends replies that wait for too long."""

from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import pytest
from flask import Flask
from redis import Redis

from shared.actions.messages.post import Posted
from shared.actions.queue.hand_over import hand_over
from shared.actions.queue.hand_over_again import hand_over_again
from shared.actions.replies.release import give_back
from shared.actions.replies.rescue import expire_overdue, give_turns, rescue_lapsed
from shared.core import current_link
from shared.models import ChatSession, User
from shared.settings import Settings
from tests.channel import Channel
from tests.factories import (
    a_chat,
    a_claim,
    a_post,
    at_once,
    change,
    clock,
    money_of,
    nothing_changes,
    on_sqlite_only,
    past,
    the_message,
    the_user,
)
from workers import sweeper
from workers.reply import Desk, write_reply
from workers.sweeper import sweep


@pytest.fixture
def redis(settings: Settings) -> Iterator[Redis]:
    with Redis.from_url(settings.redis_url, decode_responses=True) as redis:
        yield redis


@pytest.fixture
def posted(chat: ChatSession) -> Posted:
    """A post after a first sweep, so that Redis holds the sweeper's marker."""
    sweep()
    return a_post(chat)


def jobs(redis: Redis) -> list[Any]:
    return list(redis.hvals("holdfast:test:queue:replies.msgs"))


def empty_the_queue(redis: Redis) -> None:
    redis.delete("holdfast:test:queue:replies", "holdfast:test:queue:replies.msgs")


def age(posted: Posted, seconds: float, handovers: int) -> None:
    """Date the reply's turn back, with that many hand-overs since, each at its due time."""
    pauses = [10 * 2 ** min(number, 10) for number in range(handovers + 1)]
    change(
        posted.reply.id,
        dispatched_at=past(seconds),
        handovers=handovers,
        hand_over_at=past(seconds - sum(pauses)),
        deadline_at=past(-3600),
    )


@pytest.mark.parametrize(
    ("handovers", "seconds", "again"),
    [(0, 5, False), (0, 11, True), (1, 25, False), (1, 31, True), (2, 65, False), (2, 71, True)],
)
def test_a_lost_job_is_handed_over_again_after_10_20_40_seconds(
    handovers: int, seconds: int, again: bool, posted: Posted, redis: Redis
) -> None:
    age(posted, seconds, handovers)
    empty_the_queue(redis)
    hand_over([str(uuid4())])  # another reply's job, which waits for a worker
    sweep()
    assert len(jobs(redis)) == 1 + again
    assert the_message(posted.reply.id).handovers == handovers + again


@pytest.mark.parametrize("ahead", [None, 10_000], ids=["none", "that of an earlier turn"])
def test_a_turn_that_an_older_version_gave_is_handed_over_again_too(
    ahead: float | None, posted: Posted, redis: Redis
) -> None:
    """In a rolling deploy, the older version does not know `hand_over_at`, and leaves its old value."""
    age(posted, 11, 0)
    change(posted.reply.id, hand_over_at=None if ahead is None else past(-ahead))
    hand_over([str(uuid4())])
    assert [hand_over_again() for _ in range(2)] == [1, 0]


@pytest.mark.parametrize(("handovers", "seconds", "again"), [(0, 1, False), (0, 3, True), (1, 29, False)])
def test_a_job_that_never_came_to_an_empty_queue_costs_a_sweep_or_two(
    handovers: int, seconds: int, again: bool, posted: Posted, redis: Redis
) -> None:
    age(posted, seconds, handovers)
    empty_the_queue(redis)
    sweep()
    assert len(jobs(redis)) == again
    assert the_message(posted.reply.id).handovers == handovers + again


def test_a_hand_over_that_redis_can_not_take_does_not_count(posted: Posted, redis: Redis) -> None:
    """Otherwise an outage of five minutes would delay the next hand-over by five more."""
    age(posted, 11, 0)
    empty_the_queue(redis)
    link = current_link()
    link.trip_failed(ConnectionError())
    sweep()
    assert (the_message(posted.reply.id).handovers, jobs(redis)) == (0, [])
    link._broken_until = 0.0
    sweep()
    assert (the_message(posted.reply.id).handovers, len(jobs(redis))) == (1, 1)


def test_everything_is_handed_over_at_once_when_redis_was_emptied(posted: Posted, redis: Redis) -> None:
    empty_the_queue(redis)
    sweep()
    assert jobs(redis) == []
    redis.flushall()
    sweep()
    (job,) = jobs(redis)
    assert posted.reply.id in job
    sweep()
    assert len(jobs(redis)) == 1


@on_sqlite_only
def test_a_step_that_fails_in_any_way_stops_no_other(
    posted: Posted, redis: Redis, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def rescue_lapsed() -> None:
        raise ValueError("of a kind that nobody thought of")

    monkeypatch.setattr(sweeper, "rescue_lapsed", rescue_lapsed)
    redis.flushall()
    assert sweep()  # the sweep reached the database
    assert len(jobs(redis)) == 1
    (record,) = [
        record for record in caplog.records if record.message == "sweeper.rescue_lapsed_failed: the other steps go on"
    ]
    assert record.exc_info


def test_what_runs_or_waits_for_its_turn_is_not_handed_over(chat: ChatSession, redis: Redis) -> None:
    a_claim(a_post(chat))
    a_post(chat)
    redis.flushall()
    sweep()
    assert jobs(redis) == []


def test_a_reply_of_a_dead_worker_runs_again(posted: Posted, desk: Desk, channel: Channel) -> None:
    first = a_claim(posted)
    change(first.id, lease_until=past(0.1), content="Half", live_index=1)
    assert rescue_lapsed() == 1
    row = the_message(first.id)
    assert (row.status, row.failures, row.attempt) == ("pending", 1, 1)
    assert row.dispatched_at
    write_reply(first.id, desk)
    row = the_message(first.id)
    assert (row.status, row.attempt, row.failures) == ("completed", 2, 1)
    assert "Half" not in row.content
    assert [event.data["attempt"] for event in channel.named("message.started")] == [1, 2]


def test_the_second_time_it_fails_and_the_credits_return(posted: Posted, user: User, channel: Channel) -> None:
    change(a_claim(posted).id, lease_until=past(0.1), failures=1, content="Half", live_index=1)
    before = the_user(user.id).seq
    assert rescue_lapsed() == 1
    row = the_message(posted.reply.id)
    assert (row.status, row.error_code, row.message_type) == ("failed", "worker_lost", "ai_error")
    assert (row.content, row.lease_until) == ("Half", None)
    assert money_of(user.id) == (300, 0)
    failed, parked, credits_changed = channel.heard()[-3:]
    assert (failed.name, failed.data["seq"], failed.data["nextIndex"]) == ("message.failed", before + 1, 1)
    assert (parked.name, parked.data["parked"]) == ("chat.updated", True)
    assert (credits_changed.name, credits_changed.data["balance"]) == ("credits.changed", 300)


def test_a_reply_whose_worker_lives_is_left_alone(posted: Posted) -> None:
    change(a_claim(posted).id, lease_until=past(-0.5))
    with nothing_changes():
        assert rescue_lapsed() == 0


def test_a_lease_renewed_while_the_sweeper_looks_is_left_alone(posted: Posted, monkeypatch: pytest.MonkeyPatch) -> None:
    claim = a_claim(posted)
    change(claim.id, lease_until=past(1))

    def renewed_first(*args: Any) -> bool:
        change(claim.id, lease_until=past(-3))
        return give_back(*args)

    monkeypatch.setattr("shared.actions.replies.rescue.give_back", renewed_first)
    assert rescue_lapsed() == 0
    assert the_message(claim.id).status == "running"


def test_what_nobody_took_in_time_fails_with_the_credits_back(posted: Posted, user: User, channel: Channel) -> None:
    change(posted.reply.id, deadline_at=past(0.1))
    assert expire_overdue() == 1
    row = the_message(posted.reply.id)
    assert (row.status, row.error_code, row.content) == ("failed", "reply_timeout", "")
    assert money_of(user.id) == (300, 0)
    assert channel.names()[-3:] == ["message.failed", "chat.updated", "credits.changed"]


def test_what_is_in_time_is_left_alone(posted: Posted, user: User) -> None:
    a_post(a_chat(user))
    change(posted.reply.id, deadline_at=past(-5))
    with nothing_changes():
        assert expire_overdue() == 0


def test_an_overdue_reply_that_runs_is_its_workers(posted: Posted) -> None:
    change(a_claim(posted).id, deadline_at=past(5))
    with nothing_changes():
        assert expire_overdue() == 0


def test_a_turn_that_nobody_gave_is_given(posted: Posted, redis: Redis) -> None:
    change(posted.reply.id, dispatched_at=None, not_before=past(0.1))
    empty_the_queue(redis)
    assert give_turns() == 1
    assert the_message(posted.reply.id).dispatched_at <= clock()
    assert len(jobs(redis)) == 1


def test_many_sweeps_at_once_do_each_thing_once(core: Flask, user: User, redis: Redis, channel: Channel) -> None:
    sweep()
    lapsed, lost, overdue = (a_post(a_chat(person)) for person in (user, user, None))
    change(a_claim(lapsed).id, lease_until=past(1))
    change(a_claim(lost).id, lease_until=past(1), failures=1)
    change(overdue.reply.id, deadline_at=past(1))
    channel.forget()
    at_once(core, *[sweep] * 4)
    found = [the_message(posted.reply.id) for posted in (lapsed, lost, overdue)]
    assert [(row.status, row.failures) for row in found] == [("pending", 1), ("failed", 2), ("failed", 1)]
    assert channel.names().count("message.failed") == 2
    assert channel.names().count("credits.changed") == 2


def test_a_sweep_with_nothing_to_do_changes_nothing(chat: ChatSession) -> None:
    sweep()
    with nothing_changes():
        sweep()


@pytest.mark.parametrize(("handovers", "seconds"), [(10, 20_470), (12, 40_950), (1_000, 10_158_070)])
def test_a_job_that_no_worker_takes_is_handed_over_every_three_hours_at_most(
    handovers: int, seconds: int, posted: Posted
) -> None:
    age(posted, seconds - 60, handovers)
    assert hand_over_again() == 0
    age(posted, seconds + 60, handovers)
    assert [hand_over_again() for _ in range(3)] == [1, 0, 0]
    pause = the_message(posted.reply.id).hand_over_at - clock()
    assert 10_180_000 < pause <= 10_240_000


def test_each_hand_over_waits_twice_as_long_as_the_one_before(posted: Posted, redis: Redis) -> None:
    pauses = []
    for _ in range(4):
        pauses.append(round((the_message(posted.reply.id).hand_over_at - clock()) / 10_000))
        change(posted.reply.id, dispatched_at=past(11), hand_over_at=past(1))
        assert hand_over_again() == 1
    assert pauses == [1, 2, 4, 8]


def test_what_never_had_its_turn_is_cancelled_with_the_credits_back(chat: ChatSession, channel: Channel) -> None:
    first, waiting = a_post(chat), a_post(chat)
    a_claim(first)
    change(waiting.reply.id, deadline_at=past(1))
    channel.heard()
    expire_overdue()
    row = the_message(waiting.reply.id)
    assert (row.status, row.message_type, row.error_code, row.credits_charged) == ("cancelled", "ai_report", None, 0)
    assert money_of(chat.owner_id) == (297, 3)
    assert channel.named("message.cancelled")[-1].data["id"] == waiting.reply.id
