"""Deleting a chat erases its text at once. Unfinished replies end, and give their credits back."""

from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from redis import Redis
from sqlalchemy import select

from shared.actions.replies.finish import Answer, complete_reply
from shared.database.tables import db
from shared.models import ChatSession, User
from shared.models.message import messages
from shared.settings import Settings
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
from workers.reply import Desk, write_reply


def delete(me: FlaskClient, chat: ChatSession) -> None:
    assert me.delete(f"/chats/{chat.id}").status_code == 204


def all_messages(chat: ChatSession) -> list[Any]:
    db.session.rollback()
    return list(db.session.execute(select(messages).where(messages.c.chat_session_id == chat.id)))


def test_pending_and_running_replies_are_cancelled_with_their_credits_back(
    me: FlaskClient, chat: ChatSession, user: User
) -> None:
    done, running, pending = a_post(chat), a_post(chat), a_post(chat)
    complete_reply(a_claim(done), Answer("Done", finish_reason="stop"))
    a_claim(running)
    assert money_of(user.id) == (291, 6)
    delete(me, chat)
    assert money_of(user.id) == (297, 0)
    found = [the_message(posted.reply.id) for posted in (done, running, pending)]
    assert [row.status for row in found] == ["completed", "cancelled", "cancelled"]
    assert found[1].lease_until is None
    assert all(row.completed_at for row in found)


def test_its_text_is_erased_and_tombstones_stay(me: FlaskClient, chat: ChatSession) -> None:
    me.patch(f"/chats/{chat.id}", json={"title": "Top secret", "settings": {"instructions": "Top secret"}})
    posted = a_post(chat, "Secret question")
    complete_reply(a_claim(posted), Answer("Secret answer", finish_reason="stop"))
    delete(me, chat)
    assert "ecret" not in str(everything())
    assert the_chat(chat.id).deleted_at
    assert [bool(row.deleted_at) for row in all_messages(chat)] == [True, True]


def test_it_takes_two_numbers_and_tells_them(me: FlaskClient, chat: ChatSession, user: User, channel: Channel) -> None:
    a_post(chat)
    channel.forget()
    before = the_user(user.id).seq
    delete(me, chat)
    deleted, credits_changed = channel.heard()
    assert (deleted.name, deleted.data) == ("chat.deleted", {"id": chat.id, "seq": before + 1})
    assert (credits_changed.name, credits_changed.data) == (
        "credits.changed",
        {"balance": 300, "held": 0, "seq": before + 2},
    )
    assert (deleted.user_id, credits_changed.user_id) == (user.id, user.id)
    assert {the_chat(chat.id).seq, *(row.seq for row in all_messages(chat))} == {before + 1}


def test_ones_own_deleted_chat_is_not_found(me: FlaskClient, chat: ChatSession) -> None:
    posted = a_post(chat)
    delete(me, chat)
    with nothing_changes():
        answers = [
            getattr(me, method)(f"/chats/{ref}{path}", json=body)
            for ref in (chat.id, chat.display_id)
            for method, path, body in [
                ("get", "", None),
                ("patch", "", {"title": "Back"}),
                ("delete", "", None),
                ("get", "/messages", None),
                ("post", "/messages", {"content": "Hello"}),
                ("get", f"/messages/{posted.message.id}", None),
            ]
        ]
    assert {(answer.status_code, answer.json["code"]) for answer in answers} == {(404, "not_found")}
    assert me.get("/chats").json["items"] == []


def test_its_turn_goes_to_another_chat(me: FlaskClient, user: User, chat: ChatSession) -> None:
    a_post(chat)
    a_post(a_chat(user))
    waiting = a_post(a_chat(user))
    assert the_message(waiting.reply.id).dispatched_at is None
    delete(me, chat)
    assert the_message(waiting.reply.id).dispatched_at


def test_other_chats_stay_as_they_are(me: FlaskClient, user: User, chat: ChatSession) -> None:
    posted = a_post(a_chat(user), "Still here")
    before = the_message(posted.message.id), the_message(posted.reply.id)
    a_post(chat)
    delete(me, chat)
    assert (the_message(posted.message.id), the_message(posted.reply.id)) == before


@pytest.mark.settings(model="fake:chunks=500,every=20")
def test_a_reply_being_written_stops_and_its_model_is_let_go(
    core: Flask,
    me: FlaskClient,
    chat: ChatSession,
    desk: Desk,
    fake_model: FakeModel,
    channel: Channel,
    settings: Settings,
) -> None:
    posted = a_post(chat)
    with meanwhile(core, lambda: write_reply(posted.reply.id, desk)):
        eventually(lambda: channel.named("message.delta"))
        delete(me, chat)
        (request,) = fake_model.requests
        eventually(lambda: request.ending == "client closed", within=2)
    row = the_message(posted.reply.id)
    assert (row.status, row.content) == ("cancelled", "")
    after = channel.names()[channel.names().index("chat.deleted") :]
    assert after == ["chat.deleted", "credits.changed"]
    with Redis.from_url(settings.redis_url) as redis:
        assert redis.keys("holdfast:test:live:*") == []


@pytest.mark.settings(model="fake:hang_after=2", silence_timeout=30.0)
def test_a_reply_whose_model_is_silent_stops_too(
    core: Flask, me: FlaskClient, chat: ChatSession, desk: Desk, fake_model: FakeModel, channel: Channel
) -> None:
    posted = a_post(chat)
    with meanwhile(core, lambda: write_reply(posted.reply.id, desk)):
        eventually(lambda: channel.named("message.delta"))
        delete(me, chat)
        (request,) = fake_model.requests
        eventually(lambda: request.ending == "client closed", within=3)
    assert the_message(posted.reply.id).status == "cancelled"


def test_a_job_that_comes_late_does_nothing(
    me: FlaskClient, chat: ChatSession, desk: Desk, fake_model: FakeModel
) -> None:
    posted = a_post(chat)
    delete(me, chat)
    with nothing_changes():
        write_reply(posted.reply.id, desk)
    assert fake_model.requests == []
