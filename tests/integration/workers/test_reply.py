"""Writing a reply: the stored answer, and the events that the tabs hear meanwhile."""

from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import event

from shared.actions.replies.claim import Claim
from shared.database.tables import db
from shared.models import ChatSession, User
from tests.channel import Channel
from tests.eventually import eventually
from tests.factories import a_chat, a_claim, a_post, meanwhile, money_of, the_message, the_user
from tests.fake_model import FakeModel
from tests.fake_script import canned_answer
from tests.integration.workers.asking import written
from workers.context import build_context
from workers.reply import Desk, write_reply


def test_text_tokens_model_and_times_are_stored(chat: ChatSession, user: User, desk: Desk) -> None:
    row = written(chat, desk, "How are you?")
    assert (row.status, row.message_type, row.content) == ("completed", "ai_report", canned_answer("How are you?"))
    assert (row.finish_reason, row.model, row.attempt, row.failures) == ("stop", "fake", 1, 0)
    # the fake model counts the prompt's words and the answer's pieces
    assert (row.tokens_in, row.tokens_out) == (11, len(row.content.split()))
    assert row.created_at <= row.started_at <= row.first_text_at <= row.completed_at
    assert (row.lease_until, row.credits_charged) == (None, 3)
    assert money_of(user.id) == (297, 0)


def test_the_tabs_hear_start_deltas_and_end(me: FlaskClient, chat: ChatSession, desk: Desk, channel: Channel) -> None:
    before = the_user(chat.owner_id).seq
    row = written(chat, desk)
    heard = channel.heard()
    names = [event.name for event in heard if event.name != "message.delta"]
    assert names == [*["message.created"] * 2, "credits.changed", "message.started", "message.completed", names[2]]
    durable = [event.data["seq"] for event in heard if event.name != "message.delta"]
    assert durable == list(range(before + 1, before + 7))
    assert {event.user_id for event in heard} == {chat.owner_id}
    completed = next(event.data for event in heard if event.name == "message.completed")
    shown = me.get(f"/chats/{chat.id}/messages/{row.id}").json
    assert shown | {"nextIndex": row.live_index} == completed | {"queue": None}  # no event has a place in the queue
    assert completed["content"].startswith("".join(e.data["text"] for e in heard if e.name == "message.delta"))
    assert completed["tokens"] == {"input": row.tokens_in, "output": row.tokens_out}
    assert completed["credits"] == {"held": 0, "charged": 3, "released": 0}


def test_a_running_reply_shows_what_it_holds(me: FlaskClient, chat: ChatSession) -> None:
    claim = a_claim(a_post(chat))
    shown = me.get(f"/chats/{chat.id}/messages/{claim.id}").json
    assert (shown["status"], shown["attempt"], shown["content"], shown["nextIndex"]) == ("running", 1, "", 0)
    assert shown["credits"] == {"held": 3, "charged": 0, "released": 0}


@pytest.mark.settings(model="fake:chunks=3,first=1000,gate=door")
def test_nothing_of_the_database_is_held_while_the_model_talks(
    core: Flask, chat: ChatSession, desk: Desk, fake_model: FakeModel, channel: Channel
) -> None:
    posted = a_post(chat)
    out: set[Any] = set()
    event.listen(db.engine, "checkout", lambda connection, *_: out.add(connection))
    event.listen(db.engine, "checkin", lambda connection, *_: out.discard(connection))
    with meanwhile(core, lambda: write_reply(posted.reply.id, desk)):
        eventually(lambda: fake_model.requests)
        eventually(lambda: not out, within=0.5)
        assert channel.named("message.delta") == []
        eventually(lambda: channel.named("message.delta"))
        eventually(lambda: not out, within=0.5)
        fake_model.open_gate("door")
    assert the_message(posted.reply.id).status == "completed"


def test_two_replies_are_written_side_by_side(core: Flask, user: User, desk: Desk, fake_model: FakeModel) -> None:
    posts = [a_post(a_chat(user), f"Number {n} fake:chunks=20,gate=door") for n in range(2)]
    with (
        meanwhile(core, lambda: write_reply(posts[0].reply.id, desk)),
        meanwhile(core, lambda: write_reply(posts[1].reply.id, desk)),
    ):
        eventually(lambda: len(fake_model.requests) == 2)
        fake_model.open_gate("door")
    for posted in posts:
        row = the_message(posted.reply.id)
        assert (row.status, row.content) == ("completed", "".join(f"word{n} " for n in range(20)))


def test_a_claim_whose_chat_is_gone_by_then_ends_quietly(
    chat: ChatSession,
    me: FlaskClient,
    desk: Desk,
    fake_model: FakeModel,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    def after_its_deletion(claim: Claim) -> Any:
        me.delete(f"/chats/{chat.id}")
        return build_context(claim)

    caplog.set_level("INFO")
    monkeypatch.setattr("workers.reply.build_context", after_its_deletion)
    assert written(chat, desk).status == "cancelled"
    assert fake_model.requests == []
    said = [line for line in caplog.messages if line.startswith("reply.")]
    assert [line.partition(":")[0] for line in said] == ["reply.superseded"]
