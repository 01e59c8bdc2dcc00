"""P2: fair turns and several sweepers (F31). Nobody waits for another's fifty questions. Nobody steals a live lease."""

from datetime import datetime
from itertools import pairwise

from redis import Redis

from tests.eventually import eventually
from tests.faults.conftest import given, mostly_on
from tests.faults.lab.checker.rules import MAX_ACTIVE
from tests.faults.lab.trial import Trial
from tests.services.guard import Guard
from tests.services.service import Service

REPLIES = "holdfast:test:queue:replies"


def started(reply: dict[str, str]) -> datetime:
    return datetime.fromisoformat(reply["startedAt"])


def handed_over(trial: Trial) -> int:
    """The number of jobs that are on the queue or in a worker."""
    with trial.deployment.redis_client() as redis:
        return int(redis.llen(REPLIES)) + sum(trial.deployment.fetched())


@mostly_on("postgresql")
@given("worker", HOLDFAST_WORKER_THREADS="2")
def test_fifty_questions_of_one_delay_the_first_reply_of_another_by_one_reply_at_most(trial: Trial) -> None:
    keen, other = trial.person(), trial.person()
    chats = [keen.new_chat() for _ in range(10)]
    asked = [keen.ask("chunks=3,gate=go", chat=chats[n % 10]) for n in range(50)]
    assert {outcome.status for outcome in asked} == {202}
    first = other.ask("chunks=2")
    posted = datetime.fromisoformat(first.body["reply"]["createdAt"])
    eventually(lambda: trial.begun(first) or handed_over(trial) > MAX_ACTIVE)
    trial.model.open_gate("go")
    trial.wait_for_status(first, "completed")
    begun = started(other.reply(first))
    # Then between its post and its start, only those of the fifty begin that were on the queue before it
    replies = [keen.reply(outcome) for outcome in asked]
    between = [reply for reply in replies if reply["startedAt"] and posted < started(reply) < begun]
    assert len(between) <= 2
    trial.check(within=40).must_be_clean()
    # and each chat's replies ran one at a time, in the order of the posts
    for chat in chats:
        own = [keen.reply(outcome) for outcome in asked if outcome.chat_id == chat]
        for before, after in pairwise(own):
            assert before["completedAt"] <= after["startedAt"]


@mostly_on("sqlite")
@given("worker", HOLDFAST_LEASE_SECONDS="4.5")
def test_a_second_sweeper_changes_nothing_and_a_slow_worker_keeps_its_reply(trial: Trial, guard: Guard) -> None:  # F31
    sweeper = trial.programs["sweeper"]
    person = trial.person()
    with Service(guard, "another-sweeper", sweeper.command, environment=trial.programs.environment):
        # the model is silent for longer than a lease
        slow = person.ask("chunks=3,gate=late")
        trial.wait_for_text(slow)
        (row,) = trial.rows([slow])
        eventually(lambda: trial.clock() > row.lease_until)
        trial.model.open_gate("late")
        trial.wait_for_status(slow, "completed")
    trial.check().must_be_clean()
    assert person.reply(slow)["attempt"] == 1


@mostly_on("postgresql")
@given("worker", HOLDFAST_FAILPOINTS="after_final_commit=exit")
def test_a_finisher_that_dies_before_handing_over_costs_a_sweep(trial: Trial) -> None:
    person = trial.person()
    first, second = person.ask(), person.ask()
    trial.worker_died()
    with Redis.from_url(trial.redis.url) as redis:
        # the hand-over may be under way for two seconds, and then comes a sweep
        eventually(lambda: redis.llen(REPLIES) == 1, within=6)
    trial.restart("worker")
    trial.wait_for_status(second, "completed", within=20)
    trial.check().must_be_clean()
    assert person.reply(first)["attempt"] == person.reply(second)["attempt"] == 1
