"""Every ending of a reply: its row, its cost and its events. Only the current attempt may end a reply."""

from collections.abc import Callable

import pytest
from flask import Flask
from sqlalchemy.exc import IntegrityError

from shared.actions.replies.claim import Claim
from shared.actions.replies.finish import Answer, Superseded, complete_reply, fail_reply, note_first_text
from shared.actions.replies.leases import renew_leases, still_ours
from shared.actions.replies.release import give_back
from shared.database.units import write_unit
from shared.errors.replies import ModelRejected
from shared.models import ChatSession, User
from shared.models.credits import HOLD, RELEASE, record
from shared.models.status import Status
from tests.channel import Channel
from tests.factories import (
    a_chat,
    a_claim,
    a_post,
    at_once,
    change,
    clock,
    money_of,
    nothing_changes,
    past,
    the_chat,
    the_message,
    the_user,
)

ANSWER = Answer("All of it", 3, "fake-2", "stop", 12, 34)
ENDINGS: dict[str, Callable[[Claim], object]] = {
    "complete": lambda claim: complete_reply(claim, ANSWER),
    "fail": lambda claim: fail_reply(claim, ModelRejected(), ANSWER),
    "note the first text": note_first_text,
}


@pytest.fixture
def claim(chat: ChatSession) -> Claim:
    return a_claim(a_post(chat))


def end_otherwise(claim: Claim, status: Status) -> None:
    """Changes the row as another program would."""
    if status is Status.RUNNING:
        change(claim.id, attempt=claim.attempt + 1)
    elif status is Status.PENDING:
        assert give_back(claim, 60)
    elif status is Status.COMPLETED:
        complete_reply(claim, Answer("Another's", finish_reason="stop"))
    else:
        fail_reply(claim, ModelRejected(), Answer("Another's"))


def test_completing_stores_the_answer_and_charges(claim: Claim, user: User) -> None:
    complete_reply(claim, ANSWER)
    row = the_message(claim.id)
    assert (row.status, row.message_type, row.content, row.live_index) == ("completed", "ai_report", "All of it", 3)
    assert (row.model, row.finish_reason, row.tokens_in, row.tokens_out) == ("fake-2", "stop", 12, 34)
    assert row.completed_at
    assert row.lease_until is None
    assert (row.credits_held, row.credits_charged) == (3, 3)
    assert money_of(user.id) == (297, 0)


def test_failing_keeps_the_text_says_why_and_gives_the_credits_back(claim: Claim, user: User) -> None:
    fail_reply(claim, ModelRejected(), Answer("Half of", 2))
    row = the_message(claim.id)
    assert (row.status, row.message_type, row.error_code) == ("failed", "ai_error", "model_rejected")
    assert (row.content, row.live_index, row.failures) == ("Half of", 2, 1)
    assert row.completed_at
    assert row.lease_until is None
    assert money_of(user.id) == (300, 0)


def test_giving_back_keeps_the_hold_and_waits_for_the_pause(claim: Claim, user: User) -> None:
    assert give_back(claim, 7)
    row = the_message(claim.id)
    assert (row.status, row.failures, row.attempt) == ("pending", 1, 1)
    assert (row.dispatched_at, row.lease_until, row.claimed_by) == (None, None, None)
    assert 5_000 < row.not_before - clock() <= 7_000
    assert money_of(user.id) == (297, 3)


def test_giving_back_is_refused_once_the_failures_are_used_up(claim: Claim) -> None:
    change(claim.id, failures=1)
    with nothing_changes():
        assert not give_back(claim, 0)


@pytest.mark.settings(max_failures=3)
def test_how_many_failures_is_a_setting(claim: Claim) -> None:
    change(claim.id, failures=1)
    assert give_back(claim, 0)


@pytest.mark.parametrize(
    ("name", "events"),
    [
        ("complete", ["message.completed", "credits.changed"]),
        ("fail", ["message.failed", "chat.updated", "credits.changed"]),
    ],
)
def test_an_ending_takes_a_number_for_each_event_and_tells_them(
    name: str, events: list[str], claim: Claim, user: User, chat: ChatSession, channel: Channel
) -> None:
    before = the_user(user.id).seq
    ENDINGS[name](claim)
    heard = channel.heard()
    assert [event.name for event in heard] == events
    assert [event.data["seq"] for event in heard] == list(range(before + 1, before + 1 + len(events)))
    assert {event.user_id for event in heard} == {user.id}
    *ended, credits_changed = heard
    assert ended[0].data["seq"] == the_message(claim.id).seq
    assert ended[-1].data["seq"] == the_chat(chat.id).seq
    assert ended[0].data["nextIndex"] == 3
    balance, held = money_of(user.id)
    assert credits_changed.data == {"balance": balance, "held": held, "seq": the_user(user.id).seq}
    assert the_chat(chat.id).last_active_at > chat.last_active_at


@pytest.mark.parametrize("name", ENDINGS)
@pytest.mark.parametrize("instead", [Status.RUNNING, Status.PENDING, Status.COMPLETED, Status.FAILED])
def test_an_attempt_that_was_replaced_changes_nothing(
    name: str, instead: Status, claim: Claim, channel: Channel
) -> None:
    end_otherwise(claim, instead)
    channel.forget()
    with nothing_changes(), pytest.raises(Superseded):
        ENDINGS[name](claim)
    assert channel.heard() == []


@pytest.mark.parametrize("name", ENDINGS)
@pytest.mark.parametrize("instead", [Status.COMPLETED, Status.FAILED])
def test_nor_does_it_where_another_reply_of_its_user_holds_as_much(
    name: str, instead: Status, claim: Claim, chat: ChatSession, channel: Channel
) -> None:
    a_post(chat)
    test_an_attempt_that_was_replaced_changes_nothing(name, instead, claim, channel)


@pytest.mark.parametrize("instead", [Status.RUNNING, Status.COMPLETED, Status.FAILED])
def test_an_attempt_that_was_replaced_cannot_be_given_back(instead: Status, claim: Claim) -> None:
    end_otherwise(claim, instead)
    with nothing_changes():
        assert not give_back(claim, 0)


@pytest.mark.parametrize("instead", [Status.RUNNING, Status.PENDING, Status.COMPLETED, Status.FAILED])
def test_an_attempt_that_was_replaced_renews_nothing(instead: Status, claim: Claim) -> None:
    end_otherwise(claim, instead)
    assert still_ours([claim]) == set()
    with nothing_changes():
        renew_leases([(claim, "zombie", 9)])


def test_renewing_extends_the_lease_and_saves_the_text(claim: Claim) -> None:
    change(claim.id, lease_until=past(-0.5))
    before = the_message(claim.id)
    renew_leases([(claim, "So far", 2)])
    row = the_message(claim.id)
    assert (row.content, row.live_index, row.seq) == ("So far", 2, before.seq)
    assert 2_000 < row.lease_until - clock() <= 3_000
    assert still_ours([claim]) == {claim.id}


@pytest.mark.parametrize("first", ["complete", "fail"])
def test_of_two_endings_at_once_one_counts(first: str, core: Flask, claim: Claim, channel: Channel) -> None:
    def end(name: str) -> bool:
        try:
            ENDINGS[name](claim)
        except Superseded:
            return False
        return True

    assert sorted(at_once(core, lambda: end(first), lambda: end("complete"), lambda: end("fail"))) == [0, 0, 1]
    assert channel.names().count("credits.changed") == 1


def test_an_ending_after_a_failure_is_superseded_though_other_holds_would_cover_it(claim: Claim, user: User) -> None:
    # Given a reply that has failed, with its entry, and credits held for another one
    fail_reply(claim, ModelRejected(), ANSWER)
    a_post(a_chat(user))
    # Then a sweeper or worker that fails it too learns that it was late, and not of an entry that there is already
    with nothing_changes(), pytest.raises(Superseded):
        fail_reply(claim, ModelRejected(), ANSWER)


def test_the_next_in_the_chat_gets_its_turn_with_the_ending(chat: ChatSession) -> None:
    first, second = a_post(chat), a_post(chat)
    complete_reply(a_claim(first), ANSWER)
    assert a_claim(second)


@pytest.mark.parametrize("kind", [HOLD, RELEASE])
def test_a_second_entry_of_a_reply_is_impossible(kind: str, claim: Claim, user: User) -> None:
    fail_reply(claim, ModelRejected(), ANSWER)
    with nothing_changes(), pytest.raises(IntegrityError), write_unit():
        record(user.id, kind, 3, claim.id)


def test_a_long_text_is_left_out_of_the_event(user: User, channel: Channel) -> None:
    for text in ("x" * 8192, "é" * 4097):
        claim = a_claim(a_post(a_chat(user)))
        complete_reply(claim, Answer(text, 5, finish_reason="stop"))
        assert the_message(claim.id).content == text
    short, long = channel.named("message.completed")
    assert (short.data["content"], "contentOmitted" in short.data) == ("x" * 8192, False)
    assert ("content" in long.data, long.data["contentOmitted"], long.data["nextIndex"]) == (False, True, 5)
