"""The text that a stopped reply keeps. A stop charges only for text that somebody can still see."""

import pytest
from flask.testing import FlaskClient

from shared.actions.replies.finish import note_first_text
from shared.actions.replies.leases import renew_leases
from shared.actions.replies.rescue import rescue_lapsed
from shared.core import current_link
from shared.models import ChatSession, User
from shared.redis.live_text import LiveText, read
from tests.channel import Channel
from tests.factories import a_claim, a_post, change, money_of, past, the_chat, the_message, the_user
from tests.integration.replies.stopping import show, stop


@pytest.mark.parametrize("state", ["waits for its turn", "waits for a worker", "has no text yet"])
def test_before_any_text_the_credits_return(
    state: str, me: FlaskClient, chat: ChatSession, user: User, channel: Channel
) -> None:
    if state == "waits for its turn":
        complete_later = a_post(chat)
    posted = a_post(chat)
    if state == "has no text yet":
        a_claim(posted)
    channel.forget()
    before = the_user(user.id)
    stopped = stop(me, posted.reply)
    assert (stopped["status"], stopped["messageType"], stopped["content"]) == ("cancelled", "ai_report", "")
    assert stopped["credits"] == {"held": 0, "charged": 0, "released": 3}
    assert stopped["completedAt"]
    assert stopped["firstTextAt"] is None
    assert money_of(user.id) == (before.credits + 3, before.held - 3)
    assert [event.name for event in channel.heard()] == ["message.cancelled", "chat.updated", "credits.changed"]
    assert the_message(posted.reply.id).lease_until is None
    if state == "waits for its turn":
        assert the_message(complete_later.reply.id).status == "pending"


def test_text_that_has_appeared_stays_and_is_charged(
    me: FlaskClient, chat: ChatSession, user: User, channel: Channel
) -> None:
    claim = a_claim(a_post(chat))
    note_first_text(claim)
    show(claim.id, 1, "Half of ")
    show(claim.id, 1, "it")
    channel.forget()
    before = the_user(user.id).seq
    stopped = stop(me, the_message(claim.id))
    assert (stopped["status"], stopped["messageType"], stopped["content"]) == ("cancelled", "ai_report", "Half of it")
    assert stopped["credits"] == {"held": 0, "charged": 3, "released": 0}
    assert stopped["firstTextAt"]
    assert money_of(user.id) == (297, 0)
    cancelled, parked, credits_changed = channel.heard()
    assert cancelled.data | {"queue": None} == stopped | {"nextIndex": 2}  # no event has a place in the queue (D-156)
    assert [event.data["seq"] for event in (cancelled, parked, credits_changed)] == [before + 1, before + 2, before + 3]
    assert credits_changed.data == {"balance": 297, "held": 0, "seq": before + 3}
    assert parked.data["seq"] == the_chat(chat.id).seq
    assert me.get(f"/chats/{chat.id}/messages/{claim.id}").json == stopped
    assert read(current_link(), [(claim.id, 1)]) == [None]


@pytest.mark.parametrize(
    ("saved", "shown", "kept"),
    [
        ("The longer one", "The long", ("The longer one", 9)),
        ("The long", "The longer one", ("The longer one", 1)),
        ("Only saved", None, ("Only saved", 9)),
    ],
)
def test_the_longer_of_live_text_and_checkpoint_is_kept(
    saved: str, shown: str | None, kept: tuple[str, int], me: FlaskClient, chat: ChatSession
) -> None:
    claim = a_claim(a_post(chat))
    renew_leases([(claim, saved, 9)])
    if shown:
        show(claim.id, 1, shown)
    stop(me, the_message(claim.id))
    row = the_message(claim.id)
    assert (row.content, row.live_index, row.credits_charged) == (*kept, 3)


@pytest.mark.parametrize(
    ("saved", "shown", "kept", "charged"),
    [("Half", None, "Half", 3), ("Half", "Half of it", "Half of it", 3), ("", "Half", "Half", 3), ("", None, "", 0)],
)
def test_between_two_attempts_what_the_first_one_showed_is_seen_and_kept(
    saved: str, shown: str | None, kept: str, charged: int, me: FlaskClient, chat: ChatSession, user: User
) -> None:
    claim = a_claim(a_post(chat))
    renew_leases([(claim, saved, 1)])
    if shown:
        show(claim.id, 1, shown)
    change(claim.id, lease_until=past(1))
    assert rescue_lapsed() == 1
    seen = me.get(f"/chats/{chat.id}/messages/{claim.id}").json
    assert (seen["status"], seen["content"], "nextIndex" in seen, seen["queue"]["ahead"]) == ("pending", kept, False, 0)
    stopped = stop(me, the_message(claim.id))
    assert (stopped["status"], stopped["content"], stopped["attempt"]) == ("cancelled", kept, 1)
    assert money_of(user.id) == (300 - charged, 0)


def test_live_text_alone_counts_as_text_even_where_no_note_of_it_was_kept(me: FlaskClient, chat: ChatSession) -> None:
    claim = a_claim(a_post(chat))
    show(claim.id, 1, "Shown")
    assert the_message(claim.id).first_text_at is None
    assert stop(me, the_message(claim.id))["credits"] == {"held": 0, "charged": 3, "released": 0}
    assert the_message(claim.id).first_text_at


def test_a_first_text_that_nobody_can_show_any_more_is_not_charged(me: FlaskClient, chat: ChatSession) -> None:
    claim = a_claim(a_post(chat))
    note_first_text(claim)
    assert stop(me, the_message(claim.id))["credits"] == {"held": 0, "charged": 0, "released": 3}


@pytest.mark.parametrize("text", [" \n", "\u200b\ufeff", "\u3164\u2800\u00ad"])
def test_text_that_shows_nothing_is_no_text(text: str, me: FlaskClient, chat: ChatSession) -> None:
    claim = a_claim(a_post(chat))
    show(claim.id, 1, text)
    assert stop(me, the_message(claim.id))["credits"] == {"held": 0, "charged": 0, "released": 3}


def test_text_of_an_attempt_that_was_replaced_meanwhile_is_not_kept(
    me: FlaskClient, chat: ChatSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    posted = a_post(chat)
    claim = a_claim(posted)
    show(claim.id, 1, "Of the first attempt")
    real = read

    def replaced_after_the_look(link: object, replies: list[tuple[str, int]]) -> list[LiveText | None]:
        seen = real(link, replies)  # type: ignore[arg-type]
        change(claim.id, lease_until=past(1))
        rescue_lapsed()
        a_claim(posted)
        return seen

    monkeypatch.setattr("shared.redis.live_text.read", replaced_after_the_look)
    stopped = stop(me, posted.reply)
    assert (stopped["content"], stopped["attempt"], stopped["credits"]["charged"]) == ("", 2, 0)  # type: ignore[index]
