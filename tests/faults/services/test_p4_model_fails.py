"""P4: a model fails in every way at once (F20 to F25). Each reply gets its end, its price, and its one event.

tests/integration/workers/test_reply_faults.py and test_reply_pauses.py test the ways one by one, on both databases.
"""

from typing import Any

from sqlalchemy import update

from shared.models.message import messages
from tests.eventually import eventually
from tests.faults.conftest import given, mostly_on
from tests.faults.lab.history import Outcome
from tests.faults.lab.people import Witnessed, at_the_same_time
from tests.faults.lab.trial import Trial

#: The reply's final status, its error code, and its number of attempts.
Way = tuple[str, str | None, int]
#: For each behaviour of a model that falls silent.
SILENT: dict[str, Way] = {
    "hang,times=1,chunks=3": ("completed", None, 2),  # F20
    "chunks=5,hang_after=3": ("failed", "model_timeout", 1),  # F22
    "keepalive_only,times=1,chunks=3": ("completed", None, 2),
}
#: For each other behaviour of the model.
WAYS: dict[str, Way] = {
    # F20
    "refuse": ("failed", "model_unavailable", 2),
    "refuse,times=1,chunks=3": ("completed", None, 2),
    # F21
    "status=429,retry_after=2,times=1,chunks=3": ("completed", None, 2),
    "status=429,times=1,chunks=3": ("completed", None, 2),
    "status=429,retry_after=300": ("failed", "rate_limited", 1),
    "status=500": ("failed", "model_unavailable", 2),
    "status=503,retry_after=1,times=1,chunks=3": ("completed", None, 2),
    "status=409,times=1,chunks=3": ("completed", None, 2),
    "status=401": ("failed", "model_rejected", 1),
    "status=402": ("failed", "model_rejected", 1),
    # F23
    "chunks=5,cut_after=3": ("failed", "model_truncated", 1),
    "chunks=5,reset_after=3": ("failed", "model_truncated", 1),
    "chunks=5,bad_json_after=3": ("failed", "model_truncated", 1),
    "chunks=5,error_after=3": ("failed", "model_unavailable", 1),
    "chunks=3,no_finish": ("failed", "model_truncated", 1),
    "html,times=1,chunks=3": ("completed", None, 2),
    "no_choices": ("failed", "model_truncated", 2),
    "split_utf8": ("completed", None, 1),
    # F24
    "empty": ("failed", "empty_reply", 2),
    "chunks=2,finish=content_filter": ("failed", "content_filtered", 1),
    "finish=tool_calls": ("failed", "model_rejected", 1),
    "chunks=2,finish=length": ("completed", None, 1),
}
#: The fields that have the same value in the event of an end and in REST.
TOLD = ("status", "messageType", "attempt", "error", "credits")


def told(person: Witnessed, outcome: Outcome) -> Any:
    """Wait for the one event of this reply's end."""
    ends = ("message.completed", "message.failed")
    return person.tab.wait_for(lambda event: event.name in ends and event.data["id"] == outcome.reply_id).data


@mostly_on("sqlite")
def test_whatever_the_model_does_each_reply_ends_as_it_should_and_costs_what_it_should(trial: Trial) -> None:
    ends_as_it_should(trial, WAYS)


@mostly_on("sqlite")
@given("worker", HOLDFAST_FIRST_TEXT_TIMEOUT="5", HOLDFAST_SILENCE_TIMEOUT="3")
def test_however_the_model_is_silent_each_reply_ends_as_it_should_and_costs_what_it_should(trial: Trial) -> None:
    ends_as_it_should(trial, SILENT)


def ends_as_it_should(trial: Trial, expected: dict[str, Way]) -> None:
    ways = list(expected)
    people = [trial.person() for _ in range(len(ways) // 2 + 1)]
    places = [(person, chat) for person in people for chat in (person.chats[0], person.new_chat())]
    calls = [lambda p=p, c=c, way=way: p.ask(way, chat=c) for (p, c), way in zip(places, ways, strict=False)]
    outcomes = at_the_same_time(calls)
    trial.check(within=40).must_be_clean()
    for (person, _), outcome, way in zip(places, outcomes, ways, strict=False):
        reply = person.reply(outcome)
        code = reply["error"] and reply["error"]["code"]
        assert (way, reply["status"], code, reply["attempt"]) == (way, *expected[way])
        event = told(person, outcome)
        assert [event[name] for name in TOLD] == [reply[name] for name in TOLD]
        assert len(trial.asked(outcome)) == reply["attempt"]


@mostly_on("sqlite")
@given("worker", HOLDFAST_WORKER_THREADS="2")
def test_a_pause_that_the_model_asks_for_keeps_no_thread(trial: Trial) -> None:  # F21
    # Given a worker with two threads, and four replies that the model has told to come back much later
    people, other = [trial.person() for _ in range(4)], trial.person()
    patient = [person.ask("status=429,retry_after=50,times=1,chunks=2") for person in people]
    eventually(lambda: all(trial.asked(outcome) for outcome in patient))
    # When somebody else posts
    quick = other.ask("chunks=2")
    # Then that post has its answer before any of the four replies asks the model again
    trial.wait_for_status(quick, "completed")
    eventually(lambda: all(row.not_before for row in trial.rows(patient)))
    assert [len(trial.asked(outcome)) for outcome in patient] == [1] * 4
    the_pauses_are_over(trial, patient)
    trial.check(within=30).must_be_clean()
    assert [len(trial.asked(outcome)) for outcome in patient] == [2] * 4


def the_pauses_are_over(trial: Trial, outcomes: list[Outcome]) -> None:
    mine = messages.c.id.in_([outcome.reply_id for outcome in outcomes])
    with trial.deployment.engine.begin() as unit:
        unit.execute(update(messages).where(mine).values(not_before=trial.clock() - 1))


@mostly_on("postgresql")
def test_a_conversation_that_the_model_finds_too_long_is_asked_once_more_without_its_past(trial: Trial) -> None:  # F25
    person = trial.person()
    places = [person.chats[0], person.new_chat()]
    for outcome in [person.ask("chunks=2", chat=chat) for chat in places]:
        trial.wait_for_status(outcome, "completed")
    answered = person.ask("context_length,times=1,chunks=3", chat=places[0])
    hopeless = person.ask("context_length", chat=places[1])
    trial.wait_for_status(hopeless, "failed")
    after = person.ask("chunks=2", chat=places[1])
    trial.check().must_be_clean()
    for outcome in (answered, hopeless):
        whole, newest = (request.messages for request in trial.asked(outcome))
        assert newest == [message for message in whole if message["role"] == "system"] + whole[-1:]
        assert person.reply(outcome)["attempt"] == 1
    assert person.reply(answered)["status"] == person.reply(after)["status"] == "completed"
    assert person.reply(hopeless)["error"]["code"] == "context_too_long"
