"""P2: a reply's job kills its process each time (F07). The reply fails after its attempts. Nobody else is troubled."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.eventually import eventually, joined
from tests.faults.conftest import mostly_on, on_postgresql
from tests.faults.lab.history import Outcome, a_question
from tests.faults.lab.people import Load, at_the_same_time
from tests.faults.lab.trial import Trial

# So many posts of others are answered while the poison waits for its second run. At least this share of the posts that
# others make until the poison fails has its answer by then. A benchmark (benchmarks/) measures the cost of the worker's
# one death for the replies that it was writing.
_FLOW, _SHARE = 10, 0.8
_POISONED = "python -m tests.faults.lab.poisoned"


@contextmanager
def supervised(trial: Trial, *, lapsing: bool = True) -> Iterator[list[float]]:
    """Run a worker that poison kills, and restart it after each death. Yield the times at which deaths were noticed.

    With `lapsing`, the leases of a dead worker's replies lapse at once.
    """
    trial.restart("worker", instead=_POISONED)
    deaths: list[float] = []
    over = threading.Event()

    def supervise() -> None:
        while not over.wait(0.1):
            if not trial.programs["worker"].alive:
                if lapsing:
                    trial.lapse()
                deaths.append(time.monotonic())
                trial.restart("worker", instead=_POISONED)

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
    others, poisoner = [trial.person() for _ in range(4)], trial.person()
    with supervised(trial) as deaths:
        slow = at_the_same_time(lambda person=person: person.ask("chunks=3,gate=door") for person in others)
        trial.wait_for_text(*slow)
        # When somebody posts a message that kills each process that answers it
        poison = poisoner.ask(content=f"{a_question('chunks=3')} poison")
        eventually(lambda: deaths)
        # Then the poisoned reply fails after its attempts
        killed_alone(trial, poison)
        trial.wait_for_status(poison, "failed", within=30)
        trial.model.open_gate("door")
        trial.check().must_be_clean()
    failed = poisoner.reply(poison)
    assert (failed["error"]["code"], failed["attempt"]) == ("worker_lost", 2)
    assert failed["credits"] == {"held": 0, "charged": 0, "released": 3}
    # And the worker died only once, so that every other reply lost one run at most
    assert len(deaths) == 1
    assert [others[n].reply(outcome)["attempt"] for n, outcome in enumerate(slow)] == [2] * 4


def killed_alone(trial: Trial, poison: Outcome, times: int = 1) -> None:
    """Wait until poison has killed so many processes that wrote it alone. The lease lapses at once."""
    eventually(lambda: trial.log_of("worker").count("alone.died") >= times, within=30)
    trial.lapse(poison)


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
            poison = poisoner.ask(content=f"{a_question('chunks=3')} poison", chat=poisoner.new_chat())
            eventually(lambda number=number: len(deaths) == number, within=20)
            killed_alone(trial, poison, times=number)
        trial.wait_for_text(*slow, attempt=times + 1, within=30)
        trial.model.open_gate("door")
        # Then the others get their answers, because a reply counts only the first death as a failure
        trial.check().must_be_clean()
    ended = trial.rows(list(slow))
    assert {(row.status, row.failures, row.drains) for row in ended} == {("completed", 1, times - 1)}


def others_of(trial: Trial, poison: Outcome) -> list[Outcome]:
    """The posts of others that were accepted so far."""
    return [outcome for outcome in trial.history.of_kind("ok") if outcome is not poison]


def answered(trial: Trial, poison: Outcome) -> int:
    """The number of replies that others have got."""
    return [reply.status for reply in trial.rows(others_of(trial, poison))].count("completed")


@mostly_on("sqlite")
def test_while_poison_is_about_the_replies_of_others_flow(trial: Trial) -> None:
    # Given poison that has killed the worker, and waits for its second run
    others = [trial.person() for _ in range(3)]
    poisoner = trial.person()
    with supervised(trial, lapsing=False) as deaths:
        poison = poisoner.ask(content=f"{a_question('chunks=3')} poison")
        eventually(lambda: deaths, within=30)  # the worker has yet to start
        # When others post, before this run and until the poison has failed
        with Load(others, "chunks=3"):
            eventually(lambda: answered(trial, poison) > _FLOW, within=30)
            trial.lapse(poison)
            killed_alone(trial, poison)
            trial.wait_for_status(poison, "failed", within=30)
            posted = others_of(trial, poison)
            assert answered(trial, poison) >= _SHARE * len(posted)
        trial.check().must_be_clean()
    # Then the second death of the poison cost the others nothing
    posted = others_of(trial, poison)
    assert {(reply.attempt, reply.failures) for reply in trial.rows(posted)} == {(1, 0)}
    assert len(deaths) == 1
