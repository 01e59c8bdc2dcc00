"""A message that interrupts stops the reply that runs in its chat, and goes before what waits there."""

from typing import Any

import pytest
from flask.testing import FlaskClient

from shared.actions.messages.accept import Posted
from shared.actions.replies.finish import Answer, Superseded, complete_reply
from shared.actions.replies.release import give_back
from shared.actions.replies.stop import stop_reply
from shared.core import current_link
from shared.models import ChatSession, User
from shared.redis.live_text import Piece, append
from tests.channel import Channel
from tests.factories import a_chat, a_claim, a_post, change, money_of, nothing_changes, the_chat, the_message, the_user
from tests.integration.queue.waiting.asking import ask, ids, in_order


def text_of(posted: Posted, text: str) -> Any:
    """A worker has the reply, and has shown this text."""
    claim = a_claim(posted)
    if text:
        append(current_link(), [Piece(claim.id, claim.attempt, text, b'["nobody","resync",{}]')])
    return claim


@pytest.mark.parametrize(("text", "charged"), [("Half of", 3), (" \n", 0), ("", 0)])
def test_an_interrupted_reply_keeps_its_text_and_costs_what_a_stopped_one_costs(
    text: str, charged: int, me: FlaskClient, chat: ChatSession, user: User
) -> None:
    first, waiting = a_post(chat), a_post(chat)
    claim = text_of(first, text)
    answer = ask(me, chat, "interrupt")
    row = the_message(first.reply.id)
    assert (row.status, row.content, row.credits_charged) == ("cancelled", text, charged)
    assert money_of(user.id) == (300 - charged - 6, 6)
    assert answer.json["credits"] == {"balance": 294 - charged, "held": 6}
    assert in_order(chat)[2:] == [answer.json["message"]["id"], answer.json["reply"]["id"], *ids(waiting)]
    assert the_chat(chat.id).parked_at is None
    assert has_its_turn(answer.json["reply"]["id"])
    with nothing_changes(), pytest.raises(Superseded):
        complete_reply(claim, Answer("All of it"))


def has_its_turn(reply_id: str) -> bool:
    return the_message(reply_id).dispatched_at is not None


def test_the_longer_text_of_a_checkpoint_is_kept(me: FlaskClient, chat: ChatSession) -> None:
    first = a_post(chat)
    text_of(first, "Short")
    change(first.reply.id, content="Longer than that", live_index=4)
    ask(me, chat, "interrupt")
    assert the_message(first.reply.id).content == "Longer than that"


def test_a_reply_that_has_its_turn_but_no_worker_is_interrupted_too(
    me: FlaskClient, chat: ChatSession, user: User
) -> None:
    first = a_post(chat)
    answer = ask(me, chat, "interrupt")
    assert the_message(first.reply.id).status == "cancelled"
    assert money_of(user.id) == (297, 3)
    assert the_message(answer.json["reply"]["id"]).dispatched_at


def test_a_reply_between_two_attempts_is_interrupted_and_keeps_its_text(me: FlaskClient, chat: ChatSession) -> None:
    first = a_post(chat)
    claim = text_of(first, "Half of")
    assert give_back(claim, pause=60)
    ask(me, chat, "interrupt")
    row = the_message(first.reply.id)
    assert (row.status, row.content) == ("cancelled", "Half of")


def test_before_replies_without_a_turn_it_only_goes_first(me: FlaskClient, chat: ChatSession, user: User) -> None:
    # Given a stopped reply, so that the chat is parked, and two that wait behind it
    first, second, third = (a_post(chat) for _ in range(3))
    stop_reply(user.id, chat.id, first.reply.id)
    answer = ask(me, chat, "interrupt")
    # Then nothing else ends, and the new pair is first, with its turn
    assert [the_message(posted.reply.id).status for posted in (second, third)] == ["pending"] * 2
    assert in_order(chat)[2:] == [answer.json["message"]["id"], answer.json["reply"]["id"], *ids(second, third)]
    assert the_chat(chat.id).parked_at is None
    assert the_message(answer.json["reply"]["id"]).dispatched_at
    assert the_message(second.reply.id).dispatched_at is None


def test_other_chats_go_on(me: FlaskClient, chat: ChatSession, user: User) -> None:
    elsewhere = a_post(a_chat(user))
    a_claim(elsewhere)
    a_post(chat)
    ask(me, chat, "interrupt")
    assert the_message(elsewhere.reply.id).status == "running"


def test_each_change_is_told_once_and_the_answer_is_the_row(
    me: FlaskClient, chat: ChatSession, user: User, channel: Channel
) -> None:
    first, _ = a_post(chat), a_post(chat)
    text_of(first, "Half of")
    channel.forget()
    before = the_user(user.id).seq
    answer = ask(me, chat, "interrupt").json
    names = channel.names()
    assert names[:5] == ["message.created"] * 2 + ["credits.changed", "message.cancelled", "credits.changed"]
    assert names[5:] == ["message.updated"] * 4 + ["chat.updated"]
    assert [event.data["seq"] for event in channel.heard()] == list(range(before + 1, the_user(user.id).seq + 1))
    rows = [me.get(f"/chats/{chat.id}/messages/{answer[which]['id']}").json for which in ("message", "reply")]
    assert [answer["message"]["position"], answer["reply"]["position"]] == [row["position"] for row in rows] == [2, 3]
    told = channel.named("chat.updated")[-1].data
    assert told == me.get(f"/chats/{chat.id}").json
    assert (told["parked"], told["unread"]) == (False, False)


@pytest.mark.settings(max_waiting_replies=2)
def test_an_interrupting_post_takes_the_place_of_the_reply_that_it_ends(me: FlaskClient, chat: ChatSession) -> None:
    a_post(chat)
    a_post(chat)
    assert ask(me, chat, "queue").json["code"] == "too_many_waiting"
    assert ask(me, chat, "interrupt").status_code == 202


@pytest.mark.settings(signup_credits=5)
def test_a_post_without_credits_interrupts_nothing(me: FlaskClient, chat: ChatSession) -> None:
    text_of(a_post(chat), "Half of")
    with nothing_changes():
        assert ask(me, chat, "interrupt").json["code"] == "insufficient_credits"
