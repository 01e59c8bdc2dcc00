"""A second message while a reply of its chat is open: it waits, is rejected, or interrupts."""

from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import update

from shared.actions.messages.post import Posted
from shared.actions.replies.finish import Answer, Superseded, complete_reply
from shared.actions.replies.release import give_back
from shared.actions.replies.stop import stop_reply
from shared.core import current_link
from shared.database.units import execute, write_unit
from shared.models import ChatSession, User
from shared.models.chat import chat_sessions
from shared.redis.live_text import Piece, append
from tests.channel import Channel
from tests.factories import a_chat, a_claim, a_post, change, money_of, nothing_changes, the_chat, the_message, the_user
from tests.integration.queue.asking import ask, in_order


def remember(chat: ChatSession, **settings: Any) -> None:
    with write_unit():
        execute(update(chat_sessions).where(chat_sessions.c.id == chat.id).values(settings=settings))


@pytest.mark.parametrize("rule", [None, "queue"])
def test_by_default_a_second_message_waits_for_its_turn(rule: str | None, me: FlaskClient, chat: ChatSession) -> None:
    first = a_post(chat)
    answer = ask(me, chat, rule)
    assert answer.status_code == 202
    assert the_message(first.reply.id).status == "pending"
    assert the_message(answer.json["reply"]["id"]).dispatched_at is None


@pytest.mark.parametrize("state", ["waits", "runs"])
def test_a_rejected_message_names_the_first_open_reply_and_costs_nothing(
    state: str, me: FlaskClient, chat: ChatSession
) -> None:
    first = a_post(chat)
    if state == "runs":
        a_claim(first)
    a_post(chat)
    with nothing_changes():
        answer = ask(me, chat, "reject", key="once")
    assert (answer.status_code, answer.json["code"]) == (409, "chat_busy")
    assert answer.json["messageId"] == first.reply.id


@pytest.mark.parametrize("rule", ["reject", "interrupt"])
def test_in_a_chat_without_an_open_reply_every_rule_is_the_same(
    rule: str, me: FlaskClient, chat: ChatSession, user: User
) -> None:
    complete_reply(a_claim(a_post(chat)), Answer("Done"))
    elsewhere = a_post(a_chat(user))
    assert ask(me, chat, rule).status_code == 202
    assert the_message(elsewhere.reply.id).status == "pending"


@pytest.mark.parametrize("rule", ["reject", "interrupt"])
def test_a_known_key_is_answered_before_the_rule(rule: str, me: FlaskClient, chat: ChatSession) -> None:
    first = ask(me, chat, rule, key="once")
    with nothing_changes():
        again = ask(me, chat, rule, key="once")
    assert (again.status_code, again.headers["Idempotent-Replayed"]) == (202, "true")
    assert again.json["reply"]["id"] == first.json["reply"]["id"]


def test_another_rule_with_the_same_key_is_another_request(me: FlaskClient, chat: ChatSession) -> None:
    ask(me, chat, "queue", key="once")
    assert ask(me, chat, "reject", key="once").json["code"] == "idempotency_key_reused"


@pytest.mark.parametrize(
    ("stored", "asked", "status"),
    [("reject", None, 409), ("reject", "queue", 202), ("queue", "reject", 409), ("nonsense", None, 202), ([], None, 202)],
)
def test_the_rule_of_a_post_comes_before_that_of_its_chat(
    stored: Any, asked: str | None, status: int, me: FlaskClient, chat: ChatSession
) -> None:
    remember(chat, whenBusy=stored, model="another")
    a_post(chat)
    assert ask(me, chat, asked).status_code == status


@pytest.mark.parametrize("rule", ["", "Queue", "later", 1, True, ["queue"]])
def test_an_unknown_rule_is_refused(rule: Any, me: FlaskClient, chat: ChatSession) -> None:
    with nothing_changes():
        answer = ask(me, chat, rule)
    assert (answer.status_code, list(answer.json["errors"])) == (422, ["whenBusy"])


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
    assert a_claim_of(answer.json["reply"]["id"])
    with nothing_changes(), pytest.raises(Superseded):
        complete_reply(claim, Answer("All of it"))


def ids(*posts: Posted) -> list[str]:
    return [message.id for posted in posts for message in (posted.message, posted.reply)]


def a_claim_of(reply_id: str) -> Any:
    return the_message(reply_id).dispatched_at


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
