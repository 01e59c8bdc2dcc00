"""P1 to P4 under random faults, posts and other verbs. One run is short with a fixed seed, one as long as you like."""

import os
import random
from contextlib import suppress

import pytest

from tests.eventually import eventually
from tests.faults.conftest import given, mostly_on
from tests.faults.lab.checker.checker import Verdict
from tests.faults.lab.checker.rules import Rules
from tests.faults.lab.gathering import open_replies
from tests.faults.lab.nemesis import Nemesis
from tests.faults.lab.people import Load, Witnessed
from tests.faults.lab.trial import Trial
from tests.faults.lab.verbs import QUEUE_VERBS
from tests.faults.lab.versions import VERSION_VERBS

_PEOPLE = 6
# Seconds, so short that a frozen worker loses its replies.
_LEASE = {"HOLDFAST_LEASE_SECONDS": "3"}
# Random faults make two things legal. A frozen program may hold the database for longer than others wait. After a
# freeze longer than its lease, a worker may ask the model beside its successor, for a moment.
_RULES = Rules(statuses=frozenset({503}), overlap=True)


def _soak(trial: Trial, seconds: float, seed: int) -> Verdict:
    people = [trial.person() for _ in range(_PEOPLE)]
    for person in people:
        person.new_chat()
    nemesis = Nemesis(trial.deployment, seed)
    try:
        with Load(people, "chunks=30,every=30", pause=1.0, verbs=QUEUE_VERBS + VERSION_VERBS):
            nemesis.rage(seconds)
        with suppress(AssertionError):  # the checker reports the rest
            eventually(lambda: _all_ended(trial, people), within=60)
        verdict = trial.check(rules=_RULES)
    finally:
        print(f"\n{trial.deployment.kind}, seed {seed}", *nemesis.done, sep="\n")
    print(verdict)
    return verdict


def _all_ended(trial: Trial, people: list[Witnessed]) -> bool:
    """Resume the parked chats first. A reply whose workers died twice fails, and its failure parks the chat."""
    for person in people:
        person.go_on()
    return not open_replies(trial.deployment.engine, people)


@mostly_on("sqlite")
@given("worker", **_LEASE)
@given("sweeper", **_LEASE)
def test_half_a_minute_of_random_faults_loses_and_doubles_nothing(trial: Trial) -> None:
    _soak(trial, seconds=15, seed=381).must_be_clean()


@pytest.mark.long
@pytest.mark.timeout(0)
@given("web", HOLDFAST_SIGNUP_CREDITS="100000")
@given("worker", **_LEASE)
@given("sweeper", **_LEASE)
def test_minutes_of_random_faults_lose_and_double_nothing(trial: Trial) -> None:
    seed = int(os.environ.get("SEED") or random.randrange(1_000_000))
    _soak(trial, seconds=60 * float(os.environ.get("MINUTES") or 2), seed=seed).must_be_clean()
