"""P2: a reply whose worker died has a process of its own (F07). The process gives it back when its next worker dies."""

import time

import psutil
import pytest

from tests.eventually import eventually
from tests.faults.conftest import mostly_on, on_sqlite
from tests.faults.lab.history import Outcome
from tests.faults.lab.trial import Trial

# A master ends well within these seconds after its last process has died, unless it waits for somebody.
_MASTER = 1.5


def written_alone(trial: Trial, outcome: Outcome) -> list[psutil.Process]:
    """Kill the reply's worker. Return the process that fetched the job again, and the children of that process."""
    trial.wait_for_text(outcome)
    trial.kill_worker()
    trial.restart("worker")
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
        killed = time.monotonic()
        second = trial.asked(outcome)[1]
        eventually(lambda: second.ending == "client closed", within=2)
        eventually(lambda: "Shutting down" in trial.log_of("worker"))
        time.sleep(max(0, killed + _MASTER - time.monotonic()))  # real seconds, like those that the process has left
        assert trial.programs["worker"].alive
    # Then the reply's own process gives the reply back before a supervisor kills the remaining processes
    trial.wait_for_death("worker")
    trial.programs["worker"].kill()
    (row,) = trial.rows([outcome])
    assert (row.status, row.failures, row.drains) == ("pending", 1, 1)
    # And the next worker writes the reply
    trial.model.open_gate("door")
    trial.restart("worker")
    trial.check().must_be_clean()
    (row,) = trial.rows([outcome])
    assert (row.status, row.attempt, row.failures) == ("completed", 3, 1)


@pytest.mark.long
@pytest.mark.timeout(0)
@on_sqlite
def test_a_process_of_one_reply_that_can_not_give_it_back_ends_all_the_same(trial: Trial) -> None:
    person = trial.person()
    outcome = person.ask("chunks=3,gate=door")
    processes = written_alone(trial, outcome)
    # When the database lets nothing through from the worker's death on
    with trial.deployment.nothing_changes_of(person.id):
        processes[0].kill()
        # Then every process that the worker started is gone within seconds
        trial.wait_for_death("worker")
        eventually(lambda: not [process for process in processes if process.is_running()])
    # And the reply fails, because its second worker counts as dead
    trial.lapse()
    trial.restart("worker")
    trial.check().must_be_clean()
    assert person.reply(outcome)["error"]["code"] == "worker_lost"
