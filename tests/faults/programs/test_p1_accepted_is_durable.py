"""P1: an accepted post stays stored, even if the web program dies (F08, F09) or Redis is away (F10)."""

from tests.faults.conftest import by_turns, given, mostly_on
from tests.faults.lab.people import Witnessed, at_the_same_time
from tests.faults.lab.trial import Trial

POINTS = ["after_commit", "after_hand_over"]


@by_turns("point", POINTS[::-1])
@given("web", HOLDFAST_FAILPOINTS="{point}=exit")
def test_a_post_whose_web_program_is_killed_is_found_again_by_its_key(trial: Trial, point: str) -> None:
    person = trial.person()
    trial.programs["sweeper"].kill()
    lost = person.ask(key="mine")
    assert lost.kind == "unknown"
    trial.restart("web")
    found = person.insist(lost)
    # a post that was handed over needs no sweeper
    if point == "after_hand_over":
        trial.wait_for_status(found, "completed")
    trial.restart("sweeper")
    verdict = trial.check().must_be_clean()
    reply = person.reply(found)
    assert (reply["status"], reply["credits"]["charged"]) == ("completed", 3)
    stored = verdict.evidence.messages[found.reply_id]
    assert (stored.handovers > 0) == (point == "after_commit")  # only then a sweeper hands it over


@by_turns("point", POINTS)
@given("web", HOLDFAST_FAILPOINTS="{point}=exit")
def test_a_post_without_a_key_may_be_stored_again_when_it_is_repeated(trial: Trial, point: str) -> None:
    person = trial.person()
    lost = person.ask()
    trial.restart("web")
    assert person.again(lost).kind == "ok"
    verdict = trial.check().must_be_clean()
    assert [reply.status for reply in verdict.evidence.replies if reply.owner_id == person.id] == 2 * ["completed"]


def _twenty(trial: Trial) -> list[Witnessed]:
    return [person for person in (trial.person() for _ in range(5)) for _ in range(4)]


def is_up(person: Witnessed) -> bool:
    """Whether `web` lives and is ready for requests."""
    return [person.http.get(path).status_code for path in ("/healthz", "/readyz")] == [200, 200]


@mostly_on("postgresql")
def test_twenty_posts_at_once_are_accepted_within_a_second_while_redis_refuses(trial: Trial) -> None:
    people = _twenty(trial)
    trial.redis.kill()
    outcomes = at_the_same_time([person.ask for person in people])
    assert [outcome.status for outcome in outcomes] == 20 * [202]
    assert max(outcome.took for outcome in outcomes) < 1
    assert is_up(people[0])
    trial.redis.start()
    assert trial.check(within=40).must_be_clean().recovered > 0


@mostly_on("sqlite")
def test_twenty_posts_at_once_are_accepted_within_two_seconds_while_redis_is_frozen(trial: Trial) -> None:
    people = _twenty(trial)
    trial.redis.freeze()
    outcomes = at_the_same_time([person.ask for person in people])
    assert [outcome.status for outcome in outcomes] == 20 * [202]
    assert max(outcome.took for outcome in outcomes) < 2
    assert is_up(people[0])
    trial.redis.thaw()
    trial.check(within=40).must_be_clean()
