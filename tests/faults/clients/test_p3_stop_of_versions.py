"""P3, P4: a stop meets the end of a reply that continues another. The kept text stays, and only new text costs."""

import random
import time

import pytest

from tests.faults.clients.stops import stop, told
from tests.faults.conftest import mostly_on
from tests.faults.lab.history import Outcome
from tests.faults.lab.people import Witnessed
from tests.faults.lab.trial import Trial
from tests.faults.lab.versions import again, show

# Races of one person: as many as the first credits pay. In `make faults`, more people race.
_EACH = 15
_PEOPLE = [1, pytest.param(20, marks=[pytest.mark.timeout(0), pytest.mark.long])]


def races(trial: Trial, person: Witnessed, seed: int) -> tuple[Outcome, list[tuple[Outcome, Outcome]]]:
    """A reply that was cut, and its continuations, each with its stop. The first stop comes at once, the last late."""
    cut = person.ask("chunks=3,every=5,finish=length")
    trial.wait_for_status(cut, "completed")
    began = time.monotonic()
    done = again(person, cut.chat_id, cut.reply_id, "continue")
    trial.wait_for_status(done, "completed")
    length, chance = time.monotonic() - began, random.Random(seed)
    found = [(done, stop(person, done))]
    for number in range(_EACH):
        assert show(person, cut.chat_id, cut.reply_id).kind == "ok"
        continued = again(person, cut.chat_id, cut.reply_id, "continue")
        time.sleep(chance.uniform(0, 1.2 * length) if number else 0)
        found.append((continued, stop(person, continued)))
    return cut, found


@pytest.mark.parametrize("count", _PEOPLE)
@mostly_on("postgresql")
def test_a_stopped_continuation_keeps_its_beginning_and_costs_only_for_more(trial: Trial, count: int) -> None:
    people = [trial.person() for _ in range(count)]
    found = [(person, *races(trial, person, seed)) for seed, person in enumerate(people)]
    # each has one ending with its price, and one version of each is shown
    trial.check().must_be_clean()
    for person, cut, pairs in found:
        kept = str(person.reply(cut)["content"])
        for continued, stopped in pairs:
            told_later = {name: stopped.body[name] for name in ("shown", "seq")}  # the next version hides this one
            assert told(stopped.body) == told(person.reply(continued)) | told_later
            assert stopped.body["content"].startswith(kept)
            assert stopped.body["credits"]["charged"] == (3 if stopped.body["content"] != kept else 0)
