"""A waiting message is edited or removed, until a worker has it."""

from collections.abc import Callable

import pytest
from flask import Flask
from flask.testing import FlaskClient

from shared.actions.chats.title import first_question, set_title
from shared.actions.messages.accept import Posted
from shared.actions.replies.finish import Answer, complete_reply
from shared.actions.replies.release import give_back
from shared.actions.replies.stop import stop_reply
from shared.models import ChatSession, User
from tests.channel import Channel
from tests.factories import (
    a_chat,
    a_claim,
    a_post,
    a_user,
    everything,
    money_of,
    nothing_changes,
    signed_in,
    the_chat,
    the_message,
    the_user,
)
from tests.integration.queue.waiting.asking import Three, edit, ids, in_order, listed, remove, reorder
from workers.context.history import recent_messages


def test_a_removed_message_leaves_no_text_and_its_credits_return(
    me: FlaskClient, chat: ChatSession, user: User, three: Three
) -> None:
    assert remove(me, chat, three[0].message).status_code == 204
    assert money_of(user.id) == (294, 6)
    assert "One" not in str(everything())
    assert listed(me, chat) == ids(*three[1:])
    assert the_message(three[1].reply.id).dispatched_at


def test_only_what_waits_can_be_removed(me: FlaskClient, chat: ChatSession, three: Three) -> None:
    running, done = a_claim(three[0]), a_post(a_chat(the_user(chat.owner_id)))
    complete_reply(a_claim(done), Answer("Done"))
    with nothing_changes():
        answers = [remove(me, chat, three[0].message), remove(me, chat, three[1].reply)]
        answers.append(me.delete(f"/chats/{done.message.chat_session_id}/queue/{done.message.id}"))
    assert [(answer.status_code, answer.json["code"]) for answer in answers] == [(409, "not_waiting")] * 3
    assert running


def test_an_edited_message_keeps_its_place_and_its_price(
    me: FlaskClient, chat: ChatSession, user: User, three: Three, channel: Channel
) -> None:
    before = the_user(user.id).seq
    answer = edit(me, three[1], "Two and a half")
    assert answer.status_code == 202
    assert (answer.json["message"]["id"], answer.json["reply"]["id"]) == (three[1].message.id, three[1].reply.id)
    assert answer.json["message"]["content"] == "Two and a half"
    assert answer.json["credits"] == {"balance": 291, "held": 9}
    assert in_order(chat) == ids(*three)
    assert [(event.name, event.data["seq"]) for event in channel.heard()] == [
        ("message.updated", before + 1),
        ("chat.updated", before + 2),
    ]
    assert channel.heard()[0].data["content"] == "Two and a half"
    assert "Two" not in [row["content"] for row in me.get(f"/sync?after={before}").json["messages"]]


def test_the_reply_answers_the_new_text(me: FlaskClient, chat: ChatSession, three: Three) -> None:
    edit(me, three[0], "Something else")
    assert recent_messages(a_claim(three[0])).messages[-1]["content"] == "Something else"


def test_the_same_text_changes_nothing(me: FlaskClient, three: Three) -> None:
    with nothing_changes():
        assert edit(me, three[1], "Two").status_code == 202


@pytest.mark.settings(models="fast,clever", model="fast")
def test_an_edit_may_choose_another_model(me: FlaskClient, user: User, three: Three, channel: Channel) -> None:
    before = the_user(user.id).seq
    assert edit(me, three[1], "Two", model="clever").json["reply"]["model"] == "clever"
    assert the_message(three[1].reply.id).model == "clever"
    assert [event.data["seq"] for event in channel.heard()] == [before + 1, before + 2]
    assert edit(me, three[1], "Two", model="unknown").status_code == 422


def test_an_edit_that_is_sent_again_changes_nothing_and_costs_nothing(me: FlaskClient, three: Three) -> None:
    first = edit(me, three[0], "Something else", key="k")
    assert "Idempotent-Replayed" not in first.headers
    complete_reply(a_claim(three[0]), Answer("Done"))
    with nothing_changes():
        again = edit(me, three[0], "Something else", key="k")
        other = edit(me, three[0], "Something new", key="k")
    assert (again.status_code, again.headers["Idempotent-Replayed"]) == (202, "true")
    assert again.json["reply"]["id"] == three[0].reply.id
    assert other.json["code"] == "idempotency_key_reused"


CLAIMED: dict[str, Callable[[Posted], object]] = {
    "runs": a_claim,
    "ran before": lambda posted: give_back(a_claim(posted), pause=60),
}


@pytest.mark.parametrize("state", CLAIMED)
def test_what_a_worker_has_had_is_edited_no_more(state: str, me: FlaskClient, chat: ChatSession) -> None:
    posted = a_post(chat)
    CLAIMED[state](posted)
    with nothing_changes():
        answer = edit(me, posted, "Too late")
    assert (answer.status_code, answer.json["code"]) == (409, "reply_open")
    assert answer.json["messageId"] == posted.reply.id


def test_a_message_before_others_is_edited_no_more_once_its_reply_has_ended(me: FlaskClient, three: Three) -> None:
    stop_reply(three[0].reply.owner_id, three[0].reply.chat_session_id, three[0].reply.id)
    with nothing_changes():
        answer = edit(me, three[0], "Too late")
    assert (answer.status_code, answer.json["code"]) == (409, "not_the_last_message")


def test_a_reply_is_not_edited(me: FlaskClient, chat: ChatSession, three: Three) -> None:
    answer = me.patch(f"/chats/{chat.id}/messages/{three[1].reply.id}", json={"content": "Mine"})
    assert answer.json["code"] == "not_editable"


def test_removing_the_last_one_that_waits_ends_the_parking(
    me: FlaskClient, chat: ChatSession, user: User, three: Three, channel: Channel
) -> None:
    stop_reply(user.id, chat.id, three[0].reply.id)
    remove(me, chat, three[2].message)
    assert the_chat(chat.id).parked_at
    channel.forget()
    before = the_user(user.id).seq
    assert me.delete(f"/chats/{chat.id}/messages/{three[1].message.id}").status_code == 204
    assert the_chat(chat.id).parked_at is None
    heard = channel.heard()
    assert [event.name for event in heard] == ["message.deleted"] * 2 + ["credits.changed", "chat.updated"]
    assert [event.data["seq"] for event in heard] == list(range(before + 1, before + 5))
    assert heard[-1].data == me.get(f"/chats/{chat.id}").json


def test_edits_and_orders_leave_a_parked_chat_parked(
    me: FlaskClient, chat: ChatSession, user: User, three: Three
) -> None:
    stop_reply(user.id, chat.id, three[0].reply.id)
    edit(me, three[1], "Two and a half")
    assert reorder(me, chat, three[2], three[1]).status_code == 200
    assert the_chat(chat.id).parked_at
    assert not any(the_message(posted.reply.id).dispatched_at for posted in three[1:])


def test_a_queue_belongs_to_its_owner(app: Flask, me: FlaskClient, chat: ChatSession, three: Three) -> None:
    stranger = signed_in(app, a_user())
    with nothing_changes():
        answers = [stranger.get(f"/chats/{chat.id}/queue"), reorder(stranger, chat, *reversed(three))]
        answers += [remove(stranger, chat, three[1].message), edit(stranger, three[1], "Mine")]
    assert {(answer.status_code, answer.json["code"]) for answer in answers} == {(403, "forbidden")}


def test_an_edit_takes_a_generated_title_away_that_has_words_of_the_old_text(
    me: FlaskClient, chat: ChatSession, three: Three
) -> None:
    question = first_question(chat.id)
    assert question
    set_title(question, "One")
    edit(me, three[1], "Something else")
    assert the_chat(chat.id).title == "One"
    edit(me, three[0], "Something else")
    assert (the_chat(chat.id).title, the_chat(chat.id).title_source) == ("New chat", "default")
