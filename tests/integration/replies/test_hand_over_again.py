"""A sweep hands lost jobs over again, with growing pauses. It hands all over at once after Redis was emptied."""

from uuid import uuid4

import pytest
from redis import Redis

from shared.actions.messages.accept import Posted
from shared.actions.queue.hand_over import hand_over
from shared.actions.queue.hand_over_again import hand_over_again
from shared.actions.replies.rescue import give_turns
from shared.core import current_link
from shared.models import ChatSession
from tests.factories import a_claim, a_post, change, clock, past, the_message
from tests.integration.replies.jobs import jobs
from workers.sweeper import sweep


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
    too_slow = True
    while too_slow:  # a busy machine may take more than the second that is left
        began = clock()
        age(posted, seconds, handovers)
        empty_the_queue(redis)
        sweep()
        too_slow = not again and clock() - began > 900
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


def test_what_runs_or_waits_for_its_turn_is_not_handed_over(chat: ChatSession, redis: Redis) -> None:
    a_claim(a_post(chat))
    a_post(chat)
    redis.flushall()
    sweep()
    assert jobs(redis) == []


def test_a_turn_that_nobody_gave_is_given(posted: Posted, redis: Redis) -> None:
    change(posted.reply.id, dispatched_at=None, not_before=past(0.1))
    empty_the_queue(redis)
    assert give_turns() == 1
    assert the_message(posted.reply.id).dispatched_at <= clock()
    assert len(jobs(redis)) == 1


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
