"""P2, a reply whose job kills its process each time (F07): it fails after its attempts, and nobody else is troubled."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psutil
from sqlalchemy import select

from shared.models.message import messages
from tests.eventually import eventually
from tests.faults.conftest import mostly_on
from tests.faults.history import Outcome, a_question
from tests.faults.people import Load, at_the_same_time
from tests.faults.trial import Trial

# Of what others post while poison is about, how much has its end before the poison has its own, at least. What the
# worker's one death costs those whose replies it was writing is measured in benchmarks/.
_SHARE = 0.8
_POISONED = "python -m tests.faults.poisoned"


@contextmanager
def supervised(trial: Trial) -> Iterator[list[float]]:
    """A worker that poison kills, started again whenever it has died; when each death was noticed."""
    trial.restart("worker", instead=_POISONED)
    deaths: list[float] = []
    over = threading.Event()

    def supervise() -> None:
        while not over.wait(0.1):
            if not trial.programs["worker"].alive:
                deaths.append(time.monotonic())
                trial.restart("worker", instead=_POISONED)

    supervisor = threading.Thread(target=supervise)
    supervisor.start()
    try:
        yield deaths
    finally:
        over.set()
        supervisor.join(30)


def test_poison_takes_its_worker_along_once_and_then_only_itself(trial: Trial) -> None:
    # Given replies of others that are being written
    others = [trial.person() for _ in range(4)]
    with supervised(trial) as deaths:
        slow = at_the_same_time(lambda person=person: person.ask("chunks=150,every=30") for person in others)
        trial.wait_for_text(*slow, pieces=3)
        # When somebody posts a message that kills whatever process answers it
        poisoner = trial.person()
        poison = poisoner.ask(content=f"{a_question('chunks=3')} poison")
        eventually(lambda: deaths)
        # Then it fails after its attempts
        trial.wait_for_status(poison, "failed", within=30)
        trial.check().must_be_clean()
    failed = poisoner.reply(poison)
    assert (failed["error"]["code"], failed["attempt"]) == ("worker_lost", 2)
    assert failed["credits"] == {"held": 0, "charged": 0, "released": 3}
    # And the worker died once for it, so that everybody else lost one run at most
    assert len(deaths) == 1
    assert [others[n].reply(outcome)["attempt"] for n, outcome in enumerate(slow)] == [2] * 4


def test_a_process_of_one_reply_ends_with_its_worker(trial: Trial) -> None:
    # Given a reply that is written in a process of its own, as its worker was killed
    person = trial.person()
    outcome = person.ask("chunks=3,gate=door")
    trial.wait_for_text(outcome)
    trial.programs["worker"].kill()
    trial.restart("worker")
    trial.wait_for_text(outcome, attempt=2, within=30)
    # When only the process is killed that fetched its job
    (fetcher,) = psutil.Process(trial.programs["worker"].pid).children()
    fetcher.kill()
    # Then the process of the reply goes too
    second = trial.asked(outcome)[1]
    eventually(lambda: second.ending == "client closed", within=2)
    trial.wait_for_death("worker")
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
        eventually(lambda: deaths)
        # When others post until it has failed
        with Load(others, "chunks=3"):
            trial.wait_for_status(poison, "failed", within=30)
            posted = [outcome for outcome in trial.history.of_kind("ok") if outcome is not poison]
            final = [reply for reply in stored(trial, posted) if reply.status == "completed"]
        trial.check().must_be_clean()
    # Then its second death took nothing from them
    assert len(posted) > 10
    assert len(final) >= _SHARE * len(posted)
    assert {(reply.attempt, reply.failures) for reply in stored(trial, posted)} == {(1, 0)}
    assert len(deaths) == 1
