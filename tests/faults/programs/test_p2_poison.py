"""P2: a reply's job kills its process each time (F07). The reply fails after its attempts. Nobody else is troubled."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psutil
import pytest
from sqlalchemy import select

from shared.models.message import messages
from tests.eventually import eventually, joined
from tests.faults.conftest import mostly_on, on_postgresql, on_sqlite
from tests.faults.lab.history import Outcome, a_question
from tests.faults.lab.people import Load, at_the_same_time
from tests.faults.lab.trial import Trial

# At least this share of the posts that others make meanwhile ends before the poison does. A benchmark (benchmarks/)
# measures the cost of the worker's one death for the replies that it was writing.
_SHARE = 0.8
_POISONED = "python -m tests.faults.lab.poisoned"
# A master ends well within these seconds after its last process has died, unless it waits for somebody.
_MASTER = 1.5


@contextmanager
def supervised(trial: Trial, **environment: str) -> Iterator[list[float]]:
    """Run a worker that poison kills, and restart it after each death. Yield the times at which deaths were noticed."""
    trial.restart("worker", instead=_POISONED, **environment)
    deaths: list[float] = []
    over = threading.Event()

    def supervise() -> None:
        while not over.wait(0.1):
            if not trial.programs["worker"].alive:
                deaths.append(time.monotonic())
                trial.restart("worker", instead=_POISONED, **environment)

    supervisor = threading.Thread(target=supervise)
    supervisor.start()
    try:
        yield deaths
    finally:
        over.set()
        joined(supervisor, within=30)


@mostly_on("postgresql")
def test_poison_takes_its_worker_along_once_and_then_only_itself(trial: Trial) -> None:
    # Given a worker that writes the replies of others
    others = [trial.person() for _ in range(4)]
    with supervised(trial) as deaths:
        slow = at_the_same_time(lambda person=person: person.ask("chunks=150,every=30") for person in others)
        trial.wait_for_text(*slow, pieces=3)
        # When somebody posts a message that kills each process that answers it
        poisoner = trial.person()
        poison = poisoner.ask(content=f"{a_question('chunks=3')} poison")
        eventually(lambda: deaths)
        # Then the poisoned reply fails after its attempts
        trial.wait_for_status(poison, "failed", within=30)
        trial.check().must_be_clean()
    failed = poisoner.reply(poison)
    assert (failed["error"]["code"], failed["attempt"]) == ("worker_lost", 2)
    assert failed["credits"] == {"held": 0, "charged": 0, "released": 3}
    # And the worker died only once, so that every other reply lost one run at most
    assert len(deaths) == 1
    assert [others[n].reply(outcome)["attempt"] for n, outcome in enumerate(slow)] == [2] * 4


@mostly_on("sqlite")
def test_poison_after_poison_costs_others_no_reply(trial: Trial) -> None:
    another_poison_costs_others_no_reply(trial, times=2)


@pytest.mark.long
@pytest.mark.timeout(0)
@on_postgresql
def test_even_a_third_poison_costs_others_no_reply(trial: Trial) -> None:
    another_poison_costs_others_no_reply(trial, times=3)


def another_poison_costs_others_no_reply(trial: Trial, times: int) -> None:
    # Given long replies of others
    others = [trial.person() for _ in range(4)]
    with supervised(trial) as deaths:
        slow = at_the_same_time(lambda person=person: person.ask("chunks=3,gate=door") for person in others)
        poisoner = trial.person()
        for number in range(1, times + 1):
            trial.wait_for_text(*slow, attempt=number, within=30)
            # When poison kills the worker, each time that the worker has begun these replies again
            poisoner.ask(content=f"{a_question('chunks=3')} poison", chat=poisoner.new_chat())
            eventually(lambda number=number: len(deaths) == number, within=20)
        trial.wait_for_text(*slow, attempt=times + 1, within=30)
        trial.model.open_gate("door")
        # Then the others get their answers, because a reply counts only the first death as a failure
        trial.check().must_be_clean()
    ended = stored(trial, list(slow))
    assert {(row.status, row.failures, row.drains) for row in ended} == {("completed", 1, times - 1)}


def written_alone(trial: Trial, outcome: Outcome, **environment: str) -> list[psutil.Process]:
    """Kill the reply's worker. Return the process that fetched the job again, and the children of that process."""
    trial.wait_for_text(outcome)
    trial.restart("worker", **environment)
    trial.wait_for_text(outcome, attempt=2, within=30)
    (fetcher,) = psutil.Process(trial.programs["worker"].pid).children()
    return [fetcher, *fetcher.children(recursive=True)]


@mostly_on("postgresql")
def test_a_process_of_one_reply_gives_it_back_before_it_ends_with_its_worker(trial: Trial) -> None:
    # Given a reply with a process of its own, because its worker was killed
    person = trial.person()
    outcome = person.ask("chunks=3,gate=door")
    fetcher, *_ = written_alone(trial, outcome)
    # When only the process that fetched the job is killed, and the database is busy
    with trial.deployment.nothing_changes_of(person.id):
        fetcher.kill()
        second = trial.asked(outcome)[1]
        eventually(lambda: second.ending == "client closed", within=2)
        time.sleep(_MASTER)
    # Then the reply's own process gives the reply back before a supervisor kills the remaining processes
    trial.wait_for_death("worker")
    trial.programs["worker"].kill()
    (row,) = stored(trial, [outcome])
    assert (row.status, row.failures, row.drains) == ("pending", 1, 1)
    # And the next worker writes the reply
    trial.model.open_gate("door")
    trial.restart("worker")
    trial.check().must_be_clean()
    (row,) = stored(trial, [outcome])
    assert (row.status, row.attempt, row.failures) == ("completed", 3, 1)


@pytest.mark.long
@pytest.mark.timeout(0)
@on_sqlite
def test_a_process_of_one_reply_that_can_not_give_it_back_ends_all_the_same(trial: Trial) -> None:
    person = trial.person()
    outcome = person.ask("chunks=3,gate=door")
    processes = written_alone(trial, outcome, HOLDFAST_LEASE_SECONDS="15")
    # When the database lets nothing through from the worker's death on
    with trial.deployment.nothing_changes_of(person.id):
        processes[0].kill()
        # Then every process that the worker started is gone within seconds
        trial.wait_for_death("worker")
        eventually(lambda: not [process for process in processes if process.is_running()])
    # And the reply fails, because its second worker counts as dead
    trial.restart("worker")
    trial.check().must_be_clean()
    assert person.reply(outcome)["error"]["code"] == "worker_lost"


def stored(trial: Trial, outcomes: list[Outcome]) -> list[Any]:
    ids = [outcome.reply_id for outcome in outcomes]
    with trial.deployment.engine.connect() as connection:
        return list(connection.execute(select(messages).where(messages.c.id.in_(ids))))


@mostly_on("sqlite")
def test_while_poison_is_about_the_replies_of_others_flow(trial: Trial) -> None:
    # Given poison that has killed the worker, and waits for its second run
    others = [trial.person() for _ in range(3)]
    poisoner = trial.person()
    with supervised(trial) as deaths:
        poison = poisoner.ask(content=f"{a_question('chunks=3')} poison")
        eventually(lambda: deaths, within=30)  # the worker has yet to start
        # When others post until the poison has failed
        with Load(others, "chunks=3"):
            trial.wait_for_status(poison, "failed", within=30)
            posted = [outcome for outcome in trial.history.of_kind("ok") if outcome is not poison]
            final = [reply for reply in stored(trial, posted) if reply.status == "completed"]
        trial.check().must_be_clean()
    # Then the second death of the poison cost the others nothing
    assert len(posted) > 10
    assert len(final) >= _SHARE * len(posted)
    assert {(reply.attempt, reply.failures) for reply in stored(trial, posted)} == {(1, 0)}
    assert len(deaths) == 1
