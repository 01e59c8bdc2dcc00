"""P2 holds while Redis is emptied, restarted without its data, away, full, or demoted to a replica (F13, F14)."""

import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from sqlalchemy import update

from shared.models.message import messages
from tests.eventually import eventually
from tests.fair_clock import CLOCK
from tests.faults.conftest import by_turns, given, mostly_on
from tests.faults.lab.history import Outcome
from tests.faults.lab.people import Load
from tests.faults.lab.trial import Trial
from tests.faults.lab.witness import notes

# Milliseconds within which a worker has a reply again that waited in an emptied Redis.
HANDED_OVER_WITHIN = 12_000


def _flush(trial: Trial) -> None:
    with trial.deployment.redis_client() as redis:
        redis.flushall()


def _restart_without_data(trial: Trial) -> None:
    trial.redis.kill()
    shutil.rmtree(trial.redis.folder / "appendonlydir")
    trial.redis.start()


def brought_before(trial: Trial, outcomes: list[Outcome]) -> None:
    """Pretend that sweepers handed these over so often that the next hand-over is minutes away."""
    ids = [outcome.reply_id for outcome in outcomes]
    with trial.deployment.engine.begin() as unit:
        unit.execute(update(messages).where(messages.c.id.in_(ids)).values(handovers=5))


def _last_begun(trial: Trial, outcomes: list[Outcome]) -> int:
    """The time on the database's clock at which the last of these replies began for the first time."""
    first: dict[str, int] = {}
    for note in notes(trial.deployment.engine):
        if (note.what, note.now) == ("reply", "running"):
            first.setdefault(note.whose, note.at)
    return max(first[outcome.reply_id] for outcome in outcomes)


@by_turns("lose", [_flush, _restart_without_data])
@given("worker", HOLDFAST_WORKER_THREADS="5")
def test_running_replies_end_and_waiting_ones_are_handed_over_when_redis_lost_all(
    trial: Trial, lose: Callable[[Trial], None]
) -> None:
    # Given five running replies, and fifty others: 35 on the queue or in a worker, the rest without a turn
    people = [trial.person() for _ in range(20)]
    running = [person.ask("chunks=5,gate=lost") for person in people[:5]]
    trial.wait_for_text(*running)
    queued = [person.ask("chunks=2", chat=person.new_chat()) for person in people]
    queued += [person.ask("chunks=2") for person in people[5:]]
    waiting = [person.ask("chunks=2") for person in people[:15]]
    brought_before(trial, queued)
    # When Redis loses all data
    lose(trial)
    lost = trial.clock()
    trial.model.open_gate("lost")
    # Then all replies end, without a restart of any program
    trial.check().must_be_clean()
    assert CLOCK.between(lost / 1000, _last_begun(trial, queued) / 1000) * 1000 <= HANDED_OVER_WITHIN
    assert [len(trial.asked(outcome)) for outcome in running + queued + waiting] == 55 * [1]


@contextmanager
def _away(trial: Trial) -> Iterator[None]:
    trial.redis.kill()
    try:
        yield
    finally:
        trial.redis.start()


@contextmanager
def _frozen(trial: Trial) -> Iterator[None]:
    trial.redis.freeze()
    try:
        yield
    finally:
        trial.redis.thaw()


@contextmanager
def _full(trial: Trial) -> Iterator[None]:
    with trial.deployment.redis_client() as redis:
        redis.config_set("maxmemory", 1)
        try:
            yield
        finally:
            redis.config_set("maxmemory", 0)


@contextmanager
def _read_only(trial: Trial) -> Iterator[None]:
    with trial.deployment.redis_client() as redis:
        redis.replicaof("127.0.0.1", 1)
        try:
            yield
        finally:
            redis.replicaof("NO", "ONE")


def lease(trial: Trial, outcome: Outcome) -> int:
    (row,) = trial.rows([outcome])
    return int(row.lease_until)


# Each trouble, and its length in seconds in `make faults`.
_TROUBLES = {_away: 60, _frozen: 20, _full: 20, _read_only: 20}


@by_turns("troubled", list(_TROUBLES))
@given("worker", HOLDFAST_LEASE_SECONDS="6")
def test_redis_in_trouble_costs_time_and_nothing_else(trial: Trial, troubled: Callable[[Trial], object]) -> None:
    # Given a reply that runs, one that pauses before it runs again, and then a Redis in trouble
    people = [trial.person() for _ in range(3)]
    running = people[0].ask("chunks=60,every=50,gate=troubled")
    pausing = people[1].ask("chunks=2,status=500,times=1")
    trial.wait_for_text(running)
    with troubled(trial):
        before = lease(trial, running)
        # When somebody posts meanwhile, the API accepts the posts
        outcomes = [people[2].ask("chunks=2"), people[2].ask("chunks=2", chat=people[2].chats[0])]
        assert [outcome.status for outcome in outcomes] == [202, 202]
        time.sleep(4)  # longer than the breaker
        # and the running reply goes on to its end
        eventually(lambda: lease(trial, running) > before)
        trial.model.open_gate("troubled")
        trial.wait_for_status(running, "completed")
    # Then nothing is lost, and nobody had to restart anything
    trial.check(within=40).must_be_clean()
    assert people[1].reply(pausing)["attempt"] == 2


@pytest.mark.long
@pytest.mark.timeout(0)
@pytest.mark.parametrize(("troubled", "seconds"), _TROUBLES.items())
def test_a_long_outage_of_redis_under_load_costs_time_and_nothing_else(
    trial: Trial, troubled: Callable[[Trial], object], seconds: float
) -> None:
    people = [trial.person() for _ in range(4)]
    # Given a reply that is to run again in the middle of the outage
    pausing = people[0].ask("chunks=2,status=429,retry_after=10,times=1", chat=people[0].new_chat())
    trial.wait_for_status(pausing, "pending")
    with Load(people, "chunks=10,every=20", pause=2.0):  # a person may have 50 waiting replies
        time.sleep(1)
        with troubled(trial):
            time.sleep(seconds)
    # Then the API has accepted every post, and all posts get their answers once Redis is back
    assert {outcome.status for outcome in trial.history.posts} == {202}
    trial.check(within=120).must_be_clean()
    assert people[0].reply(pausing)["attempt"] == 2


@mostly_on("sqlite")
def test_jobs_that_come_again_after_an_outage_do_nothing(trial: Trial) -> None:
    person = trial.person()
    outcome = person.ask()
    trial.wait_for_status(outcome, "completed")
    trial.deployment.redeliver(*(4 * [outcome.reply_id]))
    trial.check().must_be_clean()
    assert len(trial.asked(outcome)) == 1
