"""Deleting a message erases its text at once and leaves a tombstone. Its open reply ends with the credits back."""

import pytest
from flask import Flask
from flask.testing import FlaskClient

from shared.actions.messages.accept import Posted
from shared.actions.replies.claim import claim_reply
from shared.actions.replies.finish import Answer, Superseded, complete_reply
from shared.models import ChatSession, User
from tests.channel import Channel
from tests.eventually import eventually
from tests.factories import (
    a_chat,
    a_claim,
    a_post,
    everything,
    meanwhile,
    money_of,
    nothing_changes,
    the_chat,
    the_message,
    the_user,
)
from tests.fake_model import FakeModel
from workers.context.history import recent_messages
from workers.reply import Desk, write_reply

DONE = Answer("Secret answer", finish_reason="stop")


def delete(me: FlaskClient, message: object) -> int:
    return me.delete(f"/chats/{message.chat_session_id}/messages/{message.id}").status_code  # type: ignore[attr-defined]


def answered(chat: ChatSession, content: str = "Secret question") -> Posted:
    posted = a_post(chat, content)
    complete_reply(a_claim(posted), DONE)
    return posted


def test_ones_own_message_goes_with_its_reply(me: FlaskClient, chat: ChatSession, user: User, channel: Channel) -> None:
    kept, posted = answered(chat, "Kept"), answered(chat)
    channel.forget()
    before = the_user(user.id).seq
    assert delete(me, posted.message) == 204
    rows = [the_message(one.id) for one in (posted.message, posted.reply)]
    assert [(row.content, bool(row.deleted_at), row.status) for row in rows] == [("", True, "completed")] * 2
    assert [row.seq for row in rows] == [before + 1, before + 2]
    assert [(event.name, event.data) for event in channel.heard()] == [
        ("message.deleted", {"id": row.id, "chatSessionId": chat.id, "seq": row.seq}) for row in rows
    ]
    assert "Secret question" not in str(everything())
    assert money_of(user.id) == (294, 0)  # the answered question stays charged
    listed = [item["id"] for item in me.get(f"/chats/{chat.id}/messages").json["items"]]
    assert listed == [kept.message.id, kept.reply.id]


def test_what_was_deleted_is_not_found_by_anything(me: FlaskClient, chat: ChatSession) -> None:
    posted = answered(chat)
    delete(me, posted.message)
    with nothing_changes():
        answers = [
            me.open(f"/chats/{chat.id}/messages/{one.id}{verb}", method=method)
            for one in (posted.message, posted.reply)
            for method, verb in (("GET", ""), ("DELETE", ""), ("POST", "/stop"))
        ]
    assert {(answer.status_code, answer.json["code"]) for answer in answers} == {(404, "not_found")}


@pytest.mark.parametrize("state", ["waits", "runs"])
def test_a_reply_that_was_not_final_ends_with_its_credits_back(
    state: str, me: FlaskClient, chat: ChatSession, user: User, channel: Channel
) -> None:
    posted, behind = a_post(chat), a_post(chat)
    claim = a_claim(posted) if state == "runs" else None
    channel.forget()
    assert delete(me, posted.message) == 204
    row = the_message(posted.reply.id)
    assert (row.status, row.credits_charged, row.lease_until, bool(row.completed_at)) == ("cancelled", 0, None, True)
    assert money_of(user.id) == (297, 3)
    assert channel.names() == ["message.deleted", "message.deleted", "credits.changed"]
    assert channel.heard()[-1].data == {"balance": 297, "held": 3, "seq": the_user(user.id).seq}
    # the queue goes on, because a deletion is no stop
    assert the_chat(chat.id).parked_at is None
    assert the_message(behind.reply.id).dispatched_at
    if claim:
        with nothing_changes(), pytest.raises(Superseded):
            complete_reply(claim, DONE)
    assert claim_reply(posted.reply.id, "a worker") is None


def test_a_running_reply_alone_is_refused(me: FlaskClient, chat: ChatSession) -> None:
    posted = a_post(chat)
    a_claim(posted)
    with nothing_changes():
        answer = me.delete(f"/chats/{chat.id}/messages/{posted.reply.id}")
    assert (answer.status_code, answer.json["code"]) == (409, "reply_running")


@pytest.mark.parametrize("state", ["final", "waits"])
def test_any_other_reply_may_be_deleted_alone(state: str, me: FlaskClient, chat: ChatSession, user: User) -> None:
    posted = answered(chat) if state == "final" else a_post(chat)
    assert delete(me, posted.reply) == 204
    assert the_message(posted.message.id).deleted_at is None
    assert the_message(posted.reply.id).content == ""
    assert money_of(user.id) == ((297, 0) if state == "final" else (300, 0))
    assert me.get(f"/chats/{chat.id}/messages/{posted.message.id}").status_code == 200


def test_other_chats_and_messages_stay_as_they_are(me: FlaskClient, user: User, chat: ChatSession) -> None:
    others = [answered(chat), answered(a_chat(user))]
    before = [the_message(one.id) for posted in others for one in (posted.message, posted.reply)]
    delete(me, answered(chat).message)
    assert [the_message(row.id) for row in before] == before


def test_no_model_sees_it_again(me: FlaskClient, chat: ChatSession) -> None:
    delete(me, answered(chat).message)
    claim = a_claim(a_post(chat, "And now?"))
    assert [said["content"] for said in recent_messages(claim).messages] == ["And now?"]


def test_deleting_the_chat_afterwards_leaves_the_tombstone_alone(me: FlaskClient, chat: ChatSession) -> None:
    posted = answered(chat)
    delete(me, posted.message)
    before = the_message(posted.message.id)
    assert me.delete(f"/chats/{chat.id}").status_code == 204
    assert the_message(posted.message.id) == before


@pytest.mark.settings(model="fake:chunks=500,every=20")
def test_a_reply_being_written_stops_and_its_model_is_let_go(
    core: Flask, me: FlaskClient, chat: ChatSession, desk: Desk, fake_model: FakeModel, channel: Channel
) -> None:
    posted = a_post(chat)
    with meanwhile(core, lambda: write_reply(posted.reply.id, desk)):
        eventually(lambda: channel.named("message.delta"))
        assert delete(me, posted.message) == 204
        (request,) = fake_model.requests
        eventually(lambda: request.ending == "client closed", within=2)
    names = channel.names()
    assert names[names.index("message.deleted") :] == ["message.deleted", "message.deleted", "credits.changed"]
