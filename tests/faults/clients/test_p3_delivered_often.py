"""P3: jobs and posts come more than once (F26, F27). They make one reply, one charge, and one message per key."""

from collections import Counter

from redis import Redis

from tests.eventually import eventually
from tests.faults.conftest import given, mostly_on, on_sqlite
from tests.faults.lab.checker.rules import Rules
from tests.faults.lab.history import a_question
from tests.faults.lab.people import at_the_same_time
from tests.faults.lab.trial import Trial

QUEUE = "holdfast:test:queue"


def on_the_queue(redis: Redis) -> int:
    return int(redis.llen(f"{QUEUE}:replies"))


def all_threads_have_a_job(trial: Trial, redis: Redis, reply_id: str) -> bool:
    """Bring more jobs if need be. A thread gives its job up when it has waited for the row for seconds."""
    if not on_the_queue(redis):
        trial.deployment.redeliver(reply_id)
    return trial.deployment.fetched() == [2, 2, 2, 2]


@mostly_on("postgresql")
@given("worker", HOLDFAST_WORKER_PROCESSES="4", HOLDFAST_WORKER_THREADS="2")
def test_a_job_delivered_to_four_workers_at_once_and_again_later_is_done_once(trial: Trial) -> None:  # F26
    # Given four worker processes of two threads each, and one job eight times, before any thread can take it
    person, redis = trial.person(), trial.deployment.redis_client()
    eventually(lambda: redis.zcard(f"{QUEUE}:__heartbeats__") == 4, within=20)
    trial.programs["worker"].freeze()
    outcome = person.ask("chunks=5,every=20")
    trial.deployment.redeliver(*[outcome.reply_id] * 7)
    # a sweeper brings the post's own job if the hand-over to Redis took too long
    eventually(lambda: on_the_queue(redis) + sum(trial.deployment.fetched()) >= 8)
    # When all threads have the job, and only then the row that they want becomes free
    with trial.deployment.nothing_changes_of(person.id):
        trial.programs["worker"].thaw()
        eventually(lambda: all_threads_have_a_job(trial, redis, outcome.reply_id))
    # Then one thread writes the reply, and jobs that come after its end do nothing
    trial.wait_for_status(outcome, "completed")
    trial.deployment.redeliver(*[outcome.reply_id] * 4)
    trial.check().must_be_clean()
    assert len(trial.asked(outcome)) == 1
    assert person.reply(outcome)["attempt"] == 1
    # the losers sent no event, and were done with their jobs
    started = [event for event in person.tab.named("message.started") if event.data["id"] == outcome.reply_id]
    assert len(started) == 1
    eventually(lambda: on_the_queue(redis) == sum(trial.deployment.fetched()) == 0)
    assert redis.zcard(f"{QUEUE}:replies.XQ") == 0
    redis.close()


@on_sqlite
@given("worker", HOLDFAST_FAILPOINTS="before_ack=raise")
def test_a_job_that_fails_is_put_away_and_not_tried_again(trial: Trial) -> None:
    person, redis = trial.person(), trial.deployment.redis_client()
    outcome = person.ask()
    eventually(lambda: redis.zcard(f"{QUEUE}:replies.XQ") == 1)
    # the job waits neither in the queue nor among the delayed jobs
    assert on_the_queue(redis) == redis.llen(f"{QUEUE}:replies.DQ") == redis.hlen(f"{QUEUE}:replies.DQ.msgs") == 0
    trial.check(rules=Rules(tracebacks=True)).must_be_clean()  # Dramatiq itself logs a traceback
    assert person.reply(outcome)["attempt"] == 1
    redis.close()


@mostly_on("postgresql")
@given("web", HOLDFAST_WEB_THREADS="15", HOLDFAST_WEB_WORKERS="2")
def test_thirty_posts_with_one_key_are_one_message(trial: Trial) -> None:  # F27
    person, question = trial.person(), a_question("chunks=3")
    # When all thirty come at the same moment
    outcomes = at_the_same_time([lambda: person.ask(key="the same", content=question)] * 30)
    # Then all answers name the same two rows, and only one post has held its price
    assert {outcome.status for outcome in outcomes} == {202}
    assert len({(outcome.message_id, outcome.reply_id) for outcome in outcomes}) == 1
    verdict = trial.check().must_be_clean()
    kinds = Counter(entry.kind for entry in verdict.evidence.entries if entry.user_id == person.id)
    assert kinds == {"grant": 1, "hold": 1}
    assert len(trial.asked(outcomes[0])) == 1


@mostly_on("sqlite")
def test_a_key_is_one_persons_own_and_stands_for_one_body(trial: Trial) -> None:  # F27
    person, other = trial.person(), trial.person()
    first = person.ask(key="mine")
    assert person.ask(key="mine").status == 422
    assert other.ask(key="mine").status == 202
    assert person.again(first).reply_id == first.reply_id
    trial.check().must_be_clean()
