"""Every ending of a reply: its row, its cost and its events."""

import pytest
from sqlalchemy.exc import IntegrityError

from shared.actions.replies.claim import Claim
from shared.actions.replies.finish import Answer, complete_reply, fail_reply
from shared.actions.replies.release import give_back
from shared.database.units import write_unit
from shared.errors.replies import ModelRejected
from shared.models import ChatSession, User
from shared.models.credits import HOLD, RELEASE, record
from tests.channel import Channel
from tests.factories import (
    a_chat,
    a_claim,
    a_post,
    change,
    clock,
    money_of,
    nothing_changes,
    the_chat,
    the_message,
    the_user,
)
from tests.integration.replies.endings import ANSWER, ENDINGS


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
