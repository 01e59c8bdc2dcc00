"""P1 to P4 under random faults and a load of posts: a short one with a fixed seed, and as long as you like."""

import os
import random

import pytest

from tests.faults.lab.checker.checker import Verdict
from tests.faults.lab.checker.rules import Rules
from tests.faults.lab.nemesis import Nemesis
from tests.faults.lab.people import Load
from tests.faults.lab.trial import Trial

_PEOPLE = 6
# What random faults make legal: a frozen program may hold the database for longer than others wait; a worker that
# was frozen for longer than its lease asks the model beside its successor, for a moment.
_RULES = Rules(statuses=frozenset({503}), overlap=True)


def _soak(trial: Trial, seconds: float, seed: int) -> Verdict:
    people = [trial.person() for _ in range(_PEOPLE)]
    for person in people:
        person.new_chat()
    nemesis = Nemesis(trial.deployment, seed)
    try:
        with Load(people, "chunks=30,every=30", pause=1.0):
            nemesis.rage(seconds)
        verdict = trial.check(within=60, rules=_RULES)
    finally:
        print(f"\n{trial.deployment.kind}, seed {seed}", *nemesis.done, sep="\n")
    print(verdict)
    return verdict


def test_half_a_minute_of_random_faults_loses_and_doubles_nothing(trial: Trial) -> None:
    _soak(trial, seconds=15, seed=381).must_be_clean()


@pytest.mark.long
@pytest.mark.timeout(0)
def test_minutes_of_random_faults_lose_and_double_nothing(trial: Trial) -> None:
    seed = int(os.environ.get("SEED") or random.randrange(1_000_000))
    trial.restart("web", HOLDFAST_SIGNUP_CREDITS="100000")
    _soak(trial, seconds=60 * float(os.environ.get("MINUTES") or 2), seed=seed).must_be_clean()
