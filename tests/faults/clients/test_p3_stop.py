"""P3: a stop takes effect at once, whether or not Redis is there and whatever the model does."""

from tests.eventually import eventually
from tests.fair_clock import CLOCK
from tests.faults.clients.stops import stop, told
from tests.faults.conftest import by_turns, given, mostly_on, on_postgresql
from tests.faults.lab.checker.rules import LETS_GO_WITHIN
from tests.faults.lab.trial import Trial
from tests.faults.lab.witness import notes


@by_turns("outage", [("kill", "start"), ("freeze", "thaw")])
@given("worker", HOLDFAST_LEASE_SECONDS="4.5")  # each third of a lease, the text so far is saved
def test_a_stop_without_redis_keeps_what_was_saved_and_reaches_the_worker_by_its_row(
    trial: Trial, outage: tuple[str, str]
) -> None:
    away, back = outage
    # Given a reply whose text so far was saved together with its lease
    person = trial.person()
    outcome = person.ask("chunks=5000,every=20")
    trial.wait_for_text(outcome, pieces=3)
    getattr(trial.redis, away)()
    eventually(lambda: person.reply(outcome)["content"])
    # When the reply is stopped while Redis is away
    stopped = stop(person, outcome)
    # Then the reply stops at once. Its worker lets go of the model in time (the checker's G9 counts from the commit)
    assert (stopped.status, stopped.body["status"], stopped.body["credits"]["charged"]) == (200, "cancelled", 3)
    assert stopped.took < 2
    (request,) = trial.asked(outcome)
    eventually(lambda: request.ending == "client closed", within=LETS_GO_WITHIN / 1000)
    getattr(trial.redis, back)()
    trial.check().must_be_clean()
    assert told(person.reply(outcome)) == told(stopped.body)


@on_postgresql
@given("worker", HOLDFAST_LEASE_SECONDS="30")
def test_at_the_usual_times_a_silent_model_is_let_go_too(trial: Trial) -> None:
    # Given a deployment's usual lease and patience, a model that falls silent, and no Redis to tell of a stop
    people = [trial.person() for _ in range(2)]
    places = [(person, chat) for person in people for chat in (person.chats[0], person.new_chat())]
    asked = [person.ask("chunks=3,gate=never", chat=chat) for person, chat in places]
    trial.wait_for_text(*asked)
    trial.redis.kill()
    # When one reply after the other is stopped, each right after a look of the worker at its rows
    for outcome, (person, _) in zip(asked, places, strict=True):
        (request,) = trial.asked(outcome)
        assert stop(person, outcome).status == 200
        eventually(lambda: request.closed_at)  # noqa: B023
    # Then the worker notices each stop in time, counted from the commit
    ended = {note.whose: note.at for note in notes(trial.deployment.engine) if note.now == "cancelled"}
    closed = {outcome.reply_id: trial.asked(outcome)[0].closed_at for outcome in asked}
    took = [CLOCK.between(ended[reply_id] / 1000, at) * 1000 for reply_id, at in closed.items()]
    assert max(took) <= LETS_GO_WITHIN, took
    trial.redis.start()
    trial.check().must_be_clean()


@mostly_on("postgresql")
def test_a_stopped_reply_lets_others_go_on_and_its_chat_when_its_owner_says_so(trial: Trial) -> None:
    person = trial.person()
    running, waiting = person.ask("chunks=5000,every=20"), person.ask()
    elsewhere = [person.ask("chunks=5000,every=20", chat=person.new_chat()), person.ask(chat=person.new_chat())]
    trial.wait_for_text(running, elsewhere[0])
    stop(person, running)
    trial.wait_for_status(elsewhere[1], "completed")
    assert person.reply(waiting)["status"] == "pending"
    assert person.call("resume", "POST", f"/chats/{person.chats[0]}/queue/resume").body["parked"] is False
    trial.wait_for_status(waiting, "completed")
    stop(person, elsewhere[0])
    trial.check().must_be_clean()


@mostly_on("sqlite")
@given("worker", HOLDFAST_FAILPOINTS="after_claim=hold:{hold}")
def test_a_stop_between_claim_and_first_text_costs_nothing_and_shows_nothing(trial: Trial) -> None:
    person = trial.person()
    with trial.held():
        outcome = person.ask()
        trial.wait_for_failpoint("after_claim")
        stopped = stop(person, outcome)
    assert stopped.body["credits"] == {"held": 0, "charged": 0, "released": 3}
    trial.check().must_be_clean()
    assert person.tab.named("message.delta") == []
    assert told(person.reply(outcome)) == told(stopped.body)
