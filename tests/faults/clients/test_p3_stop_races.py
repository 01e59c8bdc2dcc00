"""P3: a stop meets the end of its reply (F29). One of them wins, and every answer and event names the same one."""

import random
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor, wait
from functools import partial

import pytest

from tests.eventually import eventually
from tests.faults.clients.stops import stop, told
from tests.faults.conftest import given, mostly_on
from tests.faults.lab.gathering import open_replies
from tests.faults.lab.history import Outcome
from tests.faults.lab.people import Witnessed, at_the_same_time
from tests.faults.lab.trial import Trial

# The number of offsets to try: the first in `make test`, F29's own number in `make faults`.
RACES = [
    60,
    pytest.param(500, marks=[pytest.mark.timeout(0), pytest.mark.long]),
]
# Races at once: few enough that two cores keep the rhythm. Races of one person: as many as the first credits pay.
_AT_ONCE, _EACH = 3, 20


def typical(person: Witnessed) -> float:
    """Seconds from the answer to a post until its reply is done. The third post counts, when all is warm."""
    for _ in range(3):
        outcome = person.ask("chunks=3,every=5")
        began = time.monotonic()
        person.tab.wait_for(lambda e: e.name == "message.completed" and e.data["id"] == outcome.reply_id)  # noqa: B023
    return time.monotonic() - began


def race(person: Witnessed, offset: float) -> tuple[Outcome, Outcome]:
    outcome = person.ask("chunks=3,every=5")
    time.sleep(offset)
    return outcome, stop(person, outcome)


def before_any_text(person: Witnessed) -> tuple[Outcome, Outcome]:
    outcome = person.ask("chunks=3,first=3000")
    return outcome, stop(person, outcome)


def after_the_end(person: Witnessed) -> tuple[Outcome, Outcome]:
    outcome = person.ask("chunks=3,every=5")
    person.tab.wait_for(lambda e: e.name == "message.completed" and e.data["id"] == outcome.reply_id)
    return outcome, stop(person, outcome)


def races(person: Witnessed, count: int, length: float, seed: int) -> list[tuple[Outcome, Outcome]]:
    """Two races have a winner, on a busy machine too. Chance has the others."""
    chance = random.Random(seed)
    between = [race(person, chance.uniform(0, 1.6 * length)) for _ in range(count - 2)]
    return [before_any_text(person), *between, after_the_end(person)]


@pytest.mark.parametrize("count", RACES)
def test_whoever_wins_is_told_by_all(trial: Trial, count: int) -> None:
    # Given people whose replies take some time
    people = [trial.person() for _ in range(count // _EACH)]
    length = typical(people[0])
    # When each reply is stopped at some moment: before its claim, at any piece, at its final write, or later
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        run = pool.map(lambda entry: races(entry[1], _EACH, length, entry[0]), enumerate(people))
        found = [pair for pairs in run for pair in pairs]
    # Then each reply has one ending, with its money and its event (G3, G5, G8)
    trial.check().must_be_clean()
    # and the answer to the stop is the reply that REST shows
    assert {stopped.status for _, stopped in found} == {200}
    owners = {person.id: person for person in people}
    for outcome, stopped in found:
        assert told(stopped.body) == told(owners[outcome.user_id].reply(outcome))
    endings = Counter((stopped.body["status"], bool(stopped.body["content"])) for _, stopped in found)
    assert endings.keys() >= {("cancelled", False), ("completed", True)}, endings


@mostly_on("postgresql")
@given("worker", HOLDFAST_FAILPOINTS="before_final_commit=hold:{hold}")
def test_a_stop_that_comes_while_the_final_write_is_under_way_finds_it_done(trial: Trial) -> None:
    person = trial.person()
    with ThreadPoolExecutor(1) as pool, trial.held():
        outcome = person.ask("chunks=2")
        trial.wait_for_failpoint("before_final_commit")
        stopping = pool.submit(stop, person, outcome)
        assert not wait([stopping], timeout=0.3).done
    stopped = stopping.result()
    assert (stopped.status, stopped.body["status"]) == (200, "completed")
    trial.check().must_be_clean()


@mostly_on("sqlite")
def test_an_end_that_comes_while_the_reply_is_stopped_changes_nothing(trial: Trial) -> None:
    # Given a worker that has the whole answer, and is slow to begin its final write
    person = trial.person()
    outcome = person.ask("chunks=2,gate=held")
    trial.wait_for_text(outcome)
    person.tab.wait_for(lambda e: e.name == "message.delta" and e.data["messageId"] == outcome.reply_id)
    trial.freeze_worker(outcome)
    trial.model.open_gate("held")
    eventually(lambda: trial.asked(outcome)[0].sent == 2)
    # When the reply is stopped before the worker wakes up
    stopped = stop(person, outcome)
    trial.programs["worker"].thaw()
    # Then the text that had appeared stays, and costs its price
    trial.check().must_be_clean()
    assert (stopped.body["status"], stopped.body["credits"]["charged"]) == ("cancelled", 3)
    assert stopped.body["content"]
    assert told(person.reply(outcome)) == told(stopped.body)


@mostly_on("postgresql")
def test_stops_at_the_same_moment_are_one(trial: Trial) -> None:
    person = trial.person()
    outcome = person.ask("chunks=50,every=20")
    trial.wait_for_text(outcome, pieces=3)
    answers = at_the_same_time([lambda: stop(person, outcome)] * 5)
    assert {answer.status for answer in answers} == {200}
    assert len({answer.text for answer in answers}) == 1
    trial.check().must_be_clean()


def stop_after(seconds: float, person: Witnessed, outcome: Outcome) -> Outcome:
    time.sleep(seconds)
    return stop(person, outcome)


@mostly_on("postgresql")
def test_a_stop_and_a_sweeper_that_meet_give_the_credits_back_once(trial: Trial) -> None:  # F31
    # Given twenty replies without text whose worker has died for the last time, and no sweeper
    people = [trial.person() for _ in range(10)]
    chats = [(person, chat) for person in people for chat in (person.chats[0], person.new_chat())]
    asked = [(person, person.ask("hang", chat=chat)) for person, chat in chats]
    eventually(lambda: all(trial.asked(outcome) for _, outcome in asked))
    # and one more waiting reply of each person, so that its held credits would cover a second ending
    for person in people:
        person.ask("chunks=2", chat=person.new_chat())
    for name in ("sweeper", "worker"):
        trial.programs[name].kill()
    trial.lapse(*[outcome for _, outcome in asked], failures=1)
    # When a slow sweeper fails one reply after the other, and each is stopped at some moment of this
    trial.restart("sweeper", HOLDFAST_FAILPOINTS="before_final_commit=sleep:0.2")
    still_open = len(asked) + len(people)
    eventually(lambda: open_replies(trial.deployment.engine, people) < still_open, within=20)
    chance = random.Random(31)
    stopped = at_the_same_time(partial(stop_after, chance.uniform(0, 1), *pair) for pair in asked)
    # Then each reply has one end, the answer to the stop names this end, and the credits come back once
    trial.restart("worker")
    verdict = trial.check().must_be_clean()
    assert {answer.body["status"] for answer in stopped} == {"failed", "cancelled"}
    assert [told(answer.body) for answer in stopped] == [told(person.reply(outcome)) for person, outcome in asked]
    assert [entry.kind for entry in verdict.evidence.entries].count("release") == len(asked)
