"""P2: workers are killed with -9 (F01, F02, F03). Every accepted message still reaches its one end."""

from tests.eventually import eventually
from tests.fair_clock import CLOCK
from tests.faults.conftest import by_turns, given, mostly_on
from tests.faults.lab.people import at_the_same_time
from tests.faults.lab.trial import Trial

HEARTBEATS = "holdfast:test:queue:__heartbeats__"
# Milliseconds. The first is the promise for a lost hand-over. The second is the one for a lease of 3 s, and two sweeps
# of 0.2 s. Two busy cores may add the rest.
HANDED_OVER_WITHIN = 12_000
LEASE = "3"
AGAIN_WITHIN = 5_000


@mostly_on("postgresql")
def test_jobs_that_a_killed_worker_had_only_fetched_come_late_and_whole(trial: Trial) -> None:  # F01
    # Given a worker that writes one reply, and has fetched two other jobs that it could not claim yet
    busy, waiting = trial.person(), trial.person()
    first = busy.ask("chunks=3,gate=busy")
    trial.wait_for_text(first)
    trial.programs["worker"].freeze()
    fetched = [waiting.ask(), waiting.ask(chat=waiting.new_chat())]
    with trial.deployment.nothing_changes_of(waiting.id):
        trial.programs["worker"].thaw()
        eventually(lambda: trial.deployment.fetched() == [3])
        # When the worker is killed
        killed = trial.clock()
        trial.programs["worker"].kill()
    trial.lapse()
    trial.model.open_gate("busy")
    trial.restart("worker")
    # Then the fetched replies have lost only time, and no more than a lost hand-over costs
    trial.check().must_be_clean()
    assert [waiting.reply(outcome)["attempt"] for outcome in fetched] == [1, 1]
    assert busy.reply(first)["attempt"] == 2
    begun = [trial.begun(outcome)[0] for outcome in fetched]
    assert CLOCK.between(killed / 1000, max(begun) / 1000) * 1000 <= HANDED_OVER_WITHIN


@mostly_on("postgresql")
@given("worker", HOLDFAST_LEASE_SECONDS=LEASE)
def test_what_a_killed_worker_wrote_is_written_again_within_a_lease_and_two_sweeps(trial: Trial) -> None:  # F02
    person = trial.person()
    # Given a second worker that is already up, so that no reply waits for a worker to boot
    with trial.programs.another("worker") as other, trial.deployment.redis_client() as redis:
        redis.delete(HEARTBEATS)
        eventually(lambda: other.must_live() and redis.zcard(HEARTBEATS) == 2, within=20)
        other.freeze()
        outcome = person.ask("chunks=3,gate=taken")
        trial.wait_for_text(outcome)
        other.thaw()
        # When the worker that writes is killed
        killed = trial.clock()
        trial.programs["worker"].kill()
        trial.model.open_gate("taken")
        trial.wait_for_status(outcome, "completed")
        trial.restart("worker")
        trial.check().must_be_clean()
    _, second = trial.begun(outcome)
    assert 0 < CLOCK.between(killed / 1000, second / 1000) * 1000 <= AGAIN_WITHIN


@by_turns("point", ["after_claim", "after_chunk:3", "before_final_commit"])
@given("worker", HOLDFAST_FAILPOINTS="{point}=exit")
def test_a_worker_killed_while_it_writes_costs_a_run_and_nothing_else(trial: Trial, point: str) -> None:  # F02
    person = trial.person()
    outcome = person.ask("chunks=5,every=20")
    trial.worker_died()
    trial.restart("worker")
    trial.check().must_be_clean()
    assert person.reply(outcome)["attempt"] == 2
    assert len(trial.asked(outcome)) == (1 if point == "after_claim" else 2)


@mostly_on("sqlite")
def test_a_reply_whose_every_worker_is_killed_fails_once_and_costs_nothing(trial: Trial) -> None:  # F02
    person = trial.person()
    outcome, waiting = person.ask("chunks=5,every=20,gate=never"), person.ask()
    for attempt in (1, 2):
        trial.wait_for_text(outcome, attempt=attempt)
        trial.kill_worker()
        trial.restart("worker")
    trial.wait_for_status(outcome, "failed")
    # Then its chat is parked. The waiting reply runs only after the owner resumes the chat
    assert person.reply(waiting)["status"] == "pending"
    person.go_on()
    trial.check().must_be_clean()
    assert person.reply(waiting)["status"] == "completed"
    failed = person.reply(outcome)
    assert failed["error"]["code"] == "worker_lost"
    assert failed["credits"] == {"held": 0, "charged": 0, "released": 3}


@by_turns("point", ["after_final_commit", "before_ack"])
def test_a_reply_that_was_stored_before_the_kill_is_not_written_again(trial: Trial, point: str) -> None:  # F03
    person = trial.person()
    trial.programs["worker"].kill()
    with trial.deployment.redis_client() as redis:
        redis.delete(HEARTBEATS)
        trial.restart("worker", HOLDFAST_FAILPOINTS=f"{point}=exit")
        # otherwise the sweeper may hand a waiting job over again, and a worker dies of the second job
        eventually(lambda: redis.zcard(HEARTBEATS) == 1, within=20)
    outcome = person.ask()
    trial.wait_for_death("worker")
    assert person.reply(outcome)["status"] == "completed"
    # a worker gets the job again, and finds nothing to do
    trial.restart("worker")
    trial.deployment.redeliver(outcome.reply_id)
    trial.check().must_be_clean()
    assert person.reply(outcome)["attempt"] == 1
    assert len(trial.asked(outcome)) == 1


@mostly_on("postgresql")
def test_a_kill_under_the_load_of_many_loses_and_doubles_nothing(trial: Trial) -> None:
    people = [trial.person() for _ in range(5)]
    outcomes = at_the_same_time(lambda person=person: person.ask("chunks=200,every=25,gate=many") for person in people)
    trial.wait_for_text(*outcomes)
    trial.model.open_gate("many")
    trial.wait_for_text(*outcomes, pieces=5)
    trial.kill_worker()
    trial.restart("worker")
    trial.check().must_be_clean()
    assert [person.reply(outcome)["attempt"] for person, outcome in zip(people, outcomes, strict=True)] == [2] * 5


@mostly_on("sqlite")
def test_a_worker_killed_before_it_was_ready_is_noticed_at_once(trial: Trial) -> None:
    # Given a waiting job that kills its worker before the master has seen that worker boot
    trial.programs["worker"].kill()
    trial.person().ask()
    trial.restart("worker", HOLDFAST_FAILPOINTS="after_claim=exit")
    # Then the master ends, so that its supervisor starts it again
    trial.worker_died(within=10)
    trial.restart("worker")
    trial.check().must_be_clean()
