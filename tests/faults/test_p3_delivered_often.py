"""P3, jobs and posts that come more than once (F26, F27): one reply, one charge, one message a key."""

from tests.faults.people import at_the_same_time
from tests.faults.trial import Trial


def test_a_job_delivered_to_many_at_once_and_again_later_is_done_once(trial: Trial) -> None:  # F26
    person = trial.person()
    # Given the same job many times on the queue, before any worker can take it
    trial.programs["worker"].freeze()
    outcome = person.ask("chunks=5,every=20")
    trial.deployment.redeliver(*[outcome.reply_id] * 8)
    trial.programs["worker"].thaw()
    # When it runs, and again when it is done
    trial.wait_for_status(outcome, "completed")
    trial.deployment.redeliver(*[outcome.reply_id] * 4)
    trial.check().must_be_clean()
    assert len(trial.asked(outcome)) == 1
    assert person.reply(outcome)["attempt"] == 1


def test_thirty_posts_with_one_key_are_one_message(trial: Trial) -> None:  # F27
    person = trial.person()
    asked = person.ask(key="the same")
    outcomes = at_the_same_time([lambda: person.again(asked)] * 30)
    assert {outcome.status for outcome in outcomes} == {202}
    assert {outcome.reply_id for outcome in outcomes} == {asked.reply_id}
    trial.check().must_be_clean()
    assert len(trial.asked(asked)) == 1


def test_a_key_is_one_persons_own_and_stands_for_one_body(trial: Trial) -> None:  # F27
    person, other = trial.person(), trial.person()
    first = person.ask(key="mine")
    assert person.ask(key="mine").status == 422
    assert other.ask(key="mine").status == 202
    assert person.again(first).reply_id == first.reply_id
    trial.check().must_be_clean()
