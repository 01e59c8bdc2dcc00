"""P2: programs are told to end under load (F06). Each reply ends or runs once more. No deploy makes a reply fail."""

import os
import signal
import time

import pytest
from dramatiq import Message

from shared.redis.broker import ReplyBroker
from shared.redis.queues import REPLIES
from tests.eventually import eventually
from tests.faults.conftest import given, mostly_on, on_postgresql
from tests.faults.lab.checker.rules import Rules
from tests.faults.lab.history import Outcome
from tests.faults.lab.people import Load, Witnessed, at_the_same_time
from tests.faults.lab.trial import Trial

# Seconds until a worker writes a reply again that another worker gave back.
_SOON = 15
# Seconds in which a watchdog on an idle machine looks at its replies more than once.
_LOOKS = 0.75


def twenty_replies(trial: Trial) -> dict[Outcome, Witnessed]:
    """Ask for replies of ten people in two chats each. All replies wait at their gates, the short ones at their own."""
    people = [trial.person() for _ in range(10)]
    calls = []
    for person in people:
        for chat, script in ((person.chats[0], "chunks=3,gate=short"), (person.new_chat(), "chunks=3,gate=long")):
            calls.append(lambda p=person, c=chat, s=script: p.ask(s, chat=c))
    outcomes = at_the_same_time(calls)
    trial.wait_for_text(*outcomes)
    return outcomes


def workers_of_all(trial: Trial) -> set[str]:
    """The processes that have taken any of the replies so far."""
    return {row.claimed_by for row in trial.rows(trial.history.of_kind("ok")) if row.claimed_by}


def dead_letters(trial: Trial) -> int:
    with trial.deployment.redis_client() as redis:
        return int(redis.zcard("holdfast:test:queue:replies.XQ"))


@mostly_on("sqlite")
@given("worker", HOLDFAST_DRAIN_SECONDS="9")
def test_a_worker_told_to_end_again_and_again_loses_and_doubles_nothing(trial: Trial) -> None:
    outcomes = twenty_replies(trial)
    worker = trial.programs["worker"]
    # When the worker and its whole group are told to end, more than once
    for _ in range(3):
        worker.ask_to_end()
        os.killpg(worker.pid, signal.SIGTERM)
        time.sleep(0.3)
    # Then the worker lets the short replies end, though its watchdog has looked at them since
    trial.model.open_gate("short")
    trial.wait_for_death("worker", within=20)
    trial.model.open_gate("long")
    # and gives back every unfinished reply in time, and no reply is left running
    given_back = trial.rows(outcomes)
    assert {row.status for row in given_back} == {"pending", "completed"}
    assert {row.drains for row in given_back if row.status == "pending"} == {1}
    # And the next worker writes these replies at once
    trial.restart("worker")
    eventually(lambda: all(row.attempt == 2 for row in trial.rows(outcomes) if row.drains), within=_SOON)
    trial.check(within=45).must_be_clean()
    ended = trial.rows(outcomes)
    assert {(row.status, row.failures) for row in ended} == {("completed", 0)}
    assert sum(row.drains for row in ended) == 10
    assert dead_letters(trial) == 0


def a_signal_to_the_group_lets_replies_alone_drain(trial: Trial, number: signal.Signals) -> None:
    # Given two replies with a process of their own each, because their worker was killed
    times = {"HOLDFAST_DRAIN_SECONDS": "7.5"}
    person, worker = trial.person(), trial.programs["worker"]
    short, slow = person.ask("chunks=3,gate=soon"), person.ask("chunks=3,gate=late", chat=person.new_chat())
    trial.wait_for_text(short, slow)
    trial.kill_worker()
    trial.restart("worker", **times)
    trial.wait_for_text(short, slow, attempt=2, within=30)
    # When a signal reaches all processes of the worker at once
    logged = len(worker.log)
    os.killpg(worker.pid, number)
    eventually(lambda: "Stopping worker process" in worker.log[logged:])
    time.sleep(_LOOKS)
    # Then the short reply ends in time, and the worker gives the slow one back
    trial.model.open_gate("soon")
    trial.wait_for_status(short, "completed")
    eventually(lambda: trial.rows([slow])[0].drains == 1)
    trial.model.open_gate("late")
    if number == signal.SIGTERM:
        trial.wait_for_death("worker")
        trial.restart("worker")
    else:
        eventually(lambda: "ready for action" in worker.log[logged:], within=30)
    trial.check().must_be_clean()
    assert {(row.status, row.attempt, row.failures, row.drains) for row in trial.rows([short, slow])} == {
        ("completed", 2, 1, 0),
        ("completed", 3, 1, 1),
    }


@mostly_on("sqlite")
def test_a_deploy_that_tells_every_process_to_end_lets_replies_alone_drain(trial: Trial) -> None:
    a_signal_to_the_group_lets_replies_alone_drain(trial, signal.SIGTERM)


@pytest.mark.long
@pytest.mark.timeout(0)
@on_postgresql
def test_a_hangup_of_every_process_lets_replies_alone_drain_and_starts_the_worker_anew(trial: Trial) -> None:
    a_signal_to_the_group_lets_replies_alone_drain(trial, signal.SIGHUP)


def a_slow_one_of(worker: str, trial: Trial) -> Outcome | None:
    """A fresh reply that takes longer than a drain, or None if another worker writes the reply."""
    outcome = trial.person().ask("chunks=3,gate=slow")
    trial.wait_for_text(outcome)
    (row,) = trial.rows([outcome])
    return outcome if row.claimed_by == worker else None


@mostly_on("postgresql")
@given("worker", HOLDFAST_DRAIN_SECONDS="3")
def test_workers_that_replace_each_other_under_load_lose_and_double_nothing(trial: Trial) -> None:
    people = [trial.person() for _ in range(6)]
    with Load(people, "chunks=30,every=30", pause=1.0):
        # Given a new worker beside the old one, as in a rolling deploy
        (old,) = eventually(lambda: workers_of_all(trial))
        with trial.programs.another("worker") as newer:
            eventually(lambda: len(workers_of_all(trial)) == 2, within=20)
            # When the old worker is replaced, though it can't end all of its replies, and then the new one
            slow = eventually(lambda: a_slow_one_of(old, trial), within=30)
            assert trial.programs["worker"].stop() == 0
            trial.model.open_gate("slow")
            trial.restart("worker")
            eventually(lambda: len(workers_of_all(trial)) == 3, within=20)
            assert newer.stop() == 0
    trial.check(within=45).must_be_clean()
    ended = trial.rows(trial.history.posts)
    assert {(row.status, row.failures) for row in ended} == {("completed", 0)}
    assert [(row.attempt, row.drains) for row in trial.rows([slow])] == [(2, 1)]
    assert dead_letters(trial) == 0


@mostly_on("postgresql")
def test_a_job_that_an_old_worker_does_not_know_stops_nothing(trial: Trial) -> None:
    broker = ReplyBroker(url=trial.redis.url, namespace="holdfast:test:queue", middleware=[])
    broker.declare_queue(REPLIES)
    broker.enqueue(Message(REPLIES, "write_poem", args=("x",), kwargs={}, options={}))
    person = trial.person()
    outcome = person.ask()
    trial.check(rules=Rules(tracebacks=True)).must_be_clean()  # Dramatiq itself logs a traceback
    assert person.reply(outcome)["status"] == "completed"
    assert dead_letters(trial) == 1
    broker.close()


@mostly_on("sqlite")
def test_the_api_told_to_end_under_load_answers_what_it_has_taken(trial: Trial) -> None:
    people = [trial.person() for _ in range(4)]
    with Load(people, "chunks=3", pause=0.02):
        for _ in range(2):
            eventually(lambda: len(trial.history.of_kind("ok")) > 20)
            assert trial.programs["web"].stop() == 0
            trial.restart("web")
    trial.check().must_be_clean()  # a server error would be a violation
    assert not [outcome for outcome in trial.history.posts if outcome.status is not None and outcome.status >= 500]
