"""P4: messages that interrupt, are edited, moved and removed cost what their ends cost, also if programs die."""

import random
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.eventually import eventually
from tests.faults.conftest import mostly_on
from tests.faults.lab.checker.rules import Rules
from tests.faults.lab.gathering import open_replies
from tests.faults.lab.history import Outcome
from tests.faults.lab.people import Load, Witnessed, at_the_same_time
from tests.faults.lab.trial import Trial
from tests.faults.lab.verbs import QUEUE_VERBS, edit, names, remove, reorder


def charged(person: Witnessed, outcome: Outcome) -> tuple[str, int]:
    reply = person.reply(outcome)
    return reply["status"], reply["credits"]["charged"]


def test_two_devices_arrange_one_queue(trial: Trial) -> None:
    # Given a reply that runs, and three messages that wait
    person = trial.person()
    running = person.ask("chunks=3,gate=held")
    trial.wait_for_text(running)
    first, second, third = (person.ask("chunks=2") for _ in range(3))
    chat = person.chats[0]
    # When one device turns the queue round, edits one message and removes another
    assert reorder(person, chat, [third.message_id, second.message_id, first.message_id]).status == 200
    assert edit(person, chat, second.message_id, "chunks=4").status == 202
    assert remove(person, chat, first.message_id).status == 204
    # Then the other device sees the same, and a change of a message that runs is refused
    assert names(person, chat) == [third.message_id, second.message_id]
    moved = [event.data["id"] for event in person.tab.heard if event.name == "message.updated"]
    assert {first.message_id, third.message_id, second.message_id} <= {*moved}
    assert edit(person, chat, running.message_id).status == 409
    assert remove(person, chat, running.message_id).status == 409
    assert reorder(person, chat, [running.message_id, third.message_id, second.message_id]).status == 409
    # and the replies come in the new order
    trial.model.open_gate("held")
    trial.check().must_be_clean()
    assert [charged(person, outcome) for outcome in (running, third, second)] == [("completed", 3)] * 3
    ends = [person.reply(one)["completedAt"] for one in (running, third, second)]
    assert ends == sorted(ends)


def test_an_interrupted_reply_lets_go_of_its_model_and_the_new_one_runs_at_once(trial: Trial) -> None:
    person = trial.person()
    running = person.ask("chunks=500,every=20")
    waiting = person.ask("chunks=2")
    trial.wait_for_text(running, pieces=3)
    person.tab.wait_for(lambda e: e.name == "message.delta" and e.data["messageId"] == running.reply_id)
    urgent = person.ask("chunks=2", rule="interrupt")
    trial.wait_for_status(urgent, "completed")
    trial.check().must_be_clean()
    assert [charged(person, one) for one in (running, urgent, waiting)] == [
        ("cancelled", 3),
        ("completed", 3),
        ("completed", 3),
    ]
    ends = [person.reply(one)["completedAt"] for one in (running, urgent, waiting)]
    assert ends == sorted(ends)


@mostly_on("postgresql")
def test_interrupts_at_any_moment_race_each_other_and_the_end_of_the_reply(trial: Trial) -> None:
    people = [trial.person() for _ in range(4)]

    def race(person: Witnessed) -> list[Outcome]:
        found = []
        for _ in range(6):
            found.append(person.ask("chunks=3,every=5"))
            found += at_the_same_time([lambda: person.ask("chunks=3,every=5", rule="interrupt")] * 2)
        return found

    with ThreadPoolExecutor(len(people)) as pool:
        asked = [outcome for outcomes in pool.map(race, people) for outcome in outcomes]
    assert {outcome.status for outcome in asked} == {202}
    verdict = trial.check().must_be_clean()
    ends = Counter(reply.status for reply in verdict.evidence.replies)
    assert ends["cancelled"] > len(people)
    assert ends["completed"] > len(people)


@pytest.mark.parametrize("name", ["worker", "web"])
@mostly_on("sqlite")
def test_a_program_that_dies_amid_all_of_this_costs_nobody_anything(trial: Trial, name: str) -> None:
    people = [trial.person() for _ in range(3)]
    random.seed(12)
    with Load(people, "chunks=20,every=20", pause=0.2, verbs=QUEUE_VERBS):
        eventually(lambda: len(trial.history.outcomes) > 30)
        trial.programs[name].kill()
        trial.restart(name)
        done = len(trial.history.outcomes)
        eventually(lambda: len(trial.history.outcomes) > done + 30)
    eventually(lambda: _resumed(trial, people), within=60)
    trial.check(rules=Rules(unanswered=name == "web")).must_be_clean()
    answers = Counter((outcome.op, outcome.kind) for outcome in trial.history.outcomes)
    assert all(answers[op, "ok"] for op in ("post", "reorder")), answers


def _resumed(trial: Trial, people: list[Witnessed]) -> bool:
    for person in people:
        person.go_on()
    return not open_replies(trial.deployment.engine, people)
