"""P3: a worker was frozen for longer than its lease (F04). Once awake, it changes nothing and says nothing."""

import pytest

from tests.eventually import eventually
from tests.faults.conftest import by_turns, given
from tests.faults.lab.checker.rules import Rules
from tests.faults.lab.trial import Trial
from tests.services.service import Service

# Seconds within which the woken worker must let go of its model.
PROMPT = 2


@pytest.fixture
def other_worker(trial: Trial) -> Service:
    programs = trial.programs
    return Service(
        trial.deployment._guard, "other-worker", programs["worker"].command, environment=programs.environment
    )


# The first attempt's answer does not end, or waits as a whole in the socket until the worker wakes up.
@by_turns("script", ["chunks=30,hang_after=6,times=1", "chunks=100,gate=frozen"])
@given("worker", HOLDFAST_LEASE_SECONDS="3")
def test_a_woken_worker_changes_nothing_and_says_nothing(script: str, trial: Trial, other_worker: Service) -> None:
    # Given a worker that is frozen while it writes
    person = trial.person()
    outcome = person.ask(script)
    trial.wait_for_text(outcome)
    trial.freeze_worker(outcome)
    trial.model.open_gate("frozen")
    # And another worker that writes the reply instead
    with other_worker:
        trial.wait_for_status(outcome, "completed", within=30)
        text = person.reply(outcome)["content"]
        person.tab.wait_for(lambda e: e.name == "message.completed" and e.data["id"] == outcome.reply_id)
        heard = len(person.tab.heard)
        # When the first worker wakes up
        trial.programs["worker"].thaw()
        # Then the first worker lets go of the model, says nothing and changes nothing
        first = trial.asked(outcome)[0]
        eventually(lambda: first.ending, within=PROMPT)
        trial.check(rules=Rules(overlap=True)).must_be_clean()
    ours = [event for event in person.tab.heard[heard:] if outcome.reply_id in str(event.data)]
    assert ours == []
    row = person.reply(outcome)
    assert (row["status"], row["attempt"], row["content"]) == ("completed", 2, text)
    assert "@1" not in text
