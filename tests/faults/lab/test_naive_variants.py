"""The checker must notice a program that lacks one guard, under the load that the guard is for."""

from tests.eventually import eventually
from tests.faults.conftest import given, mostly_on, on_postgresql, on_sqlite
from tests.faults.lab.history import a_question
from tests.faults.lab.people import at_the_same_time
from tests.faults.lab.trial import Trial
from tests.faults.lab.versions import again
from tests.faults.lab.witness import notes

_NAIVE = "python -m tests.faults.naive."


@mostly_on("postgresql")
@given("worker", instead=f"{_NAIVE}no_fencing", HOLDFAST_FAILPOINTS="after_chunk:3=sleep:5", HOLDFAST_LEASE_SECONDS="3")
def test_without_fencing_a_slow_worker_ends_a_reply_a_second_time(trial: Trial) -> None:
    # Given a worker that is away for longer than its leases last, and renews none of them
    person = trial.person()
    # and enough waiting replies that their held credits cover a second ending
    chats = [person.chats[0], *(person.new_chat() for _ in range(3))]
    asked = {person.ask("chunks=5", chat=chat).reply_id for chat in chats}
    eventually(lambda: asked & {note.whose for note in notes(trial.deployment.engine) if note.what == "rewritten"}, 40)
    verdict = trial.check(within=1)
    assert "G3" in verdict.broken(), verdict
    assert verdict.count("doubled") > 0


@mostly_on("postgresql")
@given("web", instead=f"{_NAIVE}check_then_act", HOLDFAST_SIGNUP_CREDITS="30", HOLDFAST_WEB_THREADS="20")
def test_with_a_balance_that_is_read_first_and_written_later_money_is_lost(trial: Trial) -> None:
    person = trial.person()
    at_the_same_time(20 * [person.ask])
    verdict = trial.check()
    assert "G4" in verdict.broken(), verdict


@on_sqlite
@given("web", instead=f"{_NAIVE}plain_begin", HOLDFAST_WEB_THREADS="20")
def test_with_a_plain_begin_people_see_a_locked_database(trial: Trial) -> None:
    people = [trial.person() for _ in range(4)]

    def delete(person, chat):
        return lambda: person.call("delete", "DELETE", f"/chats/{chat}")

    for _ in range(3):
        deletions = [delete(person, person.new_chat()) for person in people for _ in range(2)]
        at_the_same_time([*deletions, *(2 * [person.ask for person in people])])
    verdict = trial.check()
    assert "G11" in verdict.broken(), verdict


@mostly_on("sqlite")
@given("sweeper", instead=f"{_NAIVE}no_sweep")
@given("web", HOLDFAST_FAILPOINTS="after_commit=exit")
def test_without_a_sweeper_what_was_not_handed_over_is_lost(trial: Trial) -> None:
    person = trial.person()
    assert person.ask().kind == "unknown"
    trial.restart("web")
    verdict = trial.check(within=3)
    assert "G2" in verdict.broken(), verdict
    assert verdict.count("lost") == 1


@mostly_on("sqlite")
@given("worker", instead=f"{_NAIVE}package_retries")
def test_with_the_packages_own_retries_the_model_is_asked_too_often(trial: Trial) -> None:
    person = trial.person()
    outcome = person.ask("status=500,times=1")
    eventually(lambda: person.reply(outcome)["status"] == "completed", within=15)
    verdict = trial.check()
    assert verdict.broken() == {"G9"}, verdict


@on_postgresql
@given("web", instead=f"{_NAIVE}key_looked_up_first", HOLDFAST_WEB_THREADS="20")
def test_with_a_key_that_is_looked_up_first_and_stored_later_one_post_is_several_messages(trial: Trial) -> None:
    person, question = trial.person(), a_question("chunks=2")
    at_the_same_time(20 * [lambda: person.ask(key="the same", content=question)])
    verdict = trial.check()
    assert "G10" in verdict.broken(), verdict
    assert verdict.count("doubled") > 0


@on_sqlite
@given("worker", instead=f"{_NAIVE}refund_later", HOLDFAST_FAILPOINTS="after_final_commit=exit")
def test_credits_that_are_returned_after_the_end_are_lost_with_their_worker(trial: Trial) -> None:
    assert trial.person().ask("status=401").kind == "ok"
    trial.worker_died()
    trial.restart("worker")
    verdict = trial.check()
    assert verdict.broken() == {"G5"}, verdict
    assert verdict.count("lost") == 1


@on_sqlite
@given("web", instead=f"{_NAIVE}no_turns")
def test_without_turns_one_person_has_all_chats_answered_at_once(trial: Trial) -> None:
    person = trial.person()
    asked = [person.ask("chunks=2,gate=crowd", chat=person.new_chat()) for _ in range(3)]
    trial.wait_for_text(*asked)
    trial.model.open_gate("crowd")
    verdict = trial.check()
    assert verdict.broken() == {"turns"}, verdict


@on_postgresql
@given("web", instead=f"{_NAIVE}nothing_hidden")
def test_if_no_version_is_hidden_two_versions_are_shown(trial: Trial) -> None:
    person = trial.person()
    asked = person.ask("chunks=2")
    trial.wait_for_status(asked, "completed")
    assert again(person, asked.chat_id, asked.reply_id, "regenerate").kind == "ok"
    verdict = trial.check()
    assert "versions" in verdict.broken(), verdict
    assert verdict.count("doubled") > 0


@on_sqlite
@given("web", instead=f"{_NAIVE}kept_text_charged")
def test_a_text_that_is_only_continued_is_paid_for_twice(trial: Trial) -> None:
    person = trial.person()
    cut = person.ask("chunks=2,finish=length")
    trial.wait_for_status(cut, "completed")
    for _ in range(2):  # the person's turns are taken, so the continued reply waits
        person.ask("chunks=2,gate=taken", chat=person.new_chat())
    continued = again(person, cut.chat_id, cut.reply_id, "continue")
    assert person.call("stop", "POST", f"{continued.path}/stop").body["status"] == "cancelled"
    trial.model.open_gate("taken")
    verdict = trial.check()
    assert verdict.broken() == {"G5"}, verdict
