"""Stopping a reply works until the reply is final. Its event goes out once, and its worker lets go of the model."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from uuid import uuid4

import pytest
from flask import Flask
from flask.testing import FlaskClient
from redis import Redis

from shared.actions.replies.finish import Answer, complete_reply, fail_reply
from shared.errors.replies import ModelRejected
from shared.models import ChatSession, User
from shared.settings import Settings
from tests.channel import Channel
from tests.eventually import eventually
from tests.factories import a_chat, a_claim, a_post, at_once, meanwhile, nothing_changes, the_message
from tests.fake_model import FakeModel
from tests.integration.replies.stopping import show, stop
from workers.reply import Desk, write_reply


@contextmanager
def being_written(core: Flask, reply_id: str, desk: Desk) -> Iterator[None]:
    with meanwhile(core, lambda: write_reply(reply_id, desk)):
        yield


@pytest.mark.parametrize("how", ["complete", "fail", "stop"])
def test_what_is_final_stays_as_it_is(how: str, me: FlaskClient, chat: ChatSession, channel: Channel) -> None:
    claim = a_claim(a_post(chat))
    endings: dict[str, Callable[[], object]] = {
        "complete": lambda: complete_reply(claim, Answer("Done", finish_reason="stop")),
        "fail": lambda: fail_reply(claim, ModelRejected(), Answer("Half")),
        "stop": lambda: stop(me, the_message(claim.id)),
    }
    endings[how]()
    shown = me.get(f"/chats/{chat.id}/messages/{claim.id}").json
    channel.forget()
    with nothing_changes():
        assert stop(me, the_message(claim.id)) == shown
    assert channel.heard() == []


def test_many_stops_at_once_are_one(
    core: Flask, app: Flask, me: FlaskClient, chat: ChatSession, channel: Channel
) -> None:
    claim = a_claim(a_post(chat))
    show(claim.id, 1, "Half")
    header = {"Authorization": me.environ_base["HTTP_AUTHORIZATION"]}
    path = f"/chats/{chat.id}/messages/{claim.id}/stop"
    answers = at_once(core, *[lambda: app.test_client().post(path, headers=header)] * 5)
    assert {answer.status_code for answer in answers} == {200}
    assert len({answer.data for answer in answers}) == 1
    assert channel.names().count("message.cancelled") == 1


def test_a_message_of_ones_own_cannot_be_stopped(me: FlaskClient, chat: ChatSession) -> None:
    posted = a_post(chat)
    with nothing_changes():
        answer = me.post(f"/chats/{chat.id}/messages/{posted.message.id}/stop")
    assert (answer.status_code, answer.json["code"]) == (409, "not_a_reply")


def test_a_foreign_reply_and_one_that_never_was_answer_alike(
    me: FlaskClient, user: User, chat: ChatSession, channel: Channel
) -> None:
    foreign, elsewhere = a_post(), a_post(a_chat(user))
    channel.forget()
    paths = [(chat.id, one) for one in (foreign.reply.id, elsewhere.reply.id, uuid4(), "%00", "0", "x" * 3000)]
    paths += [(foreign.reply.chat_session_id, foreign.reply.id), (uuid4(), uuid4())]
    with nothing_changes():
        answers = [
            me.open(f"/chats/{ref}/messages/{message}{verb}", method=method)
            for ref, message in paths
            for method, verb in (("POST", "/stop"), ("DELETE", ""))
        ]
        answers += [me.post(f"/chats/{ref}/queue/resume") for ref in (foreign.reply.chat_session_id, uuid4(), "%00")]
    assert {(answer.status_code, answer.json["code"]) for answer in answers} == {(403, "forbidden")}
    assert len({answer.data for answer in answers}) == 1
    assert channel.heard() == []


@pytest.mark.settings(model="fake:chunks=500,every=20")
def test_a_reply_being_written_ends_and_nothing_of_it_comes_after(
    core: Flask, me: FlaskClient, chat: ChatSession, desk: Desk, fake_model: FakeModel, channel: Channel
) -> None:
    posted = a_post(chat)
    with being_written(core, posted.reply.id, desk):
        eventually(lambda: len(channel.named("message.delta")) > 3)
        stopped = stop(me, posted.reply)
        (request,) = fake_model.requests
        eventually(lambda: request.ending == "client closed", within=2)
    names = channel.names()
    assert names[names.index("message.cancelled") :] == ["message.cancelled", "chat.updated", "credits.changed"]
    (cancelled,) = channel.named("message.cancelled")
    deltas = channel.named("message.delta")
    assert cancelled.data["content"] == stopped["content"]
    assert str(stopped["content"]).startswith("".join(delta.data["text"] for delta in deltas)[:20])
    assert len(deltas) >= cancelled.data["nextIndex"] > 3
    row = the_message(posted.reply.id)
    assert (row.status, row.content, row.credits_charged) == ("cancelled", stopped["content"], 3)


@pytest.mark.settings(model="fake:hang_after=2", silence_timeout=30.0)
def test_a_reply_whose_model_is_silent_lets_it_go_within_two_seconds(
    core: Flask, me: FlaskClient, chat: ChatSession, desk: Desk, fake_model: FakeModel, channel: Channel
) -> None:
    posted = a_post(chat)
    with being_written(core, posted.reply.id, desk):
        eventually(lambda: channel.named("message.delta"))
        stop(me, posted.reply)
        (request,) = fake_model.requests
        eventually(lambda: request.ending == "client closed", within=2.5)
    assert channel.names()[-1] == "credits.changed"


def test_a_job_that_comes_late_does_nothing(
    me: FlaskClient, chat: ChatSession, desk: Desk, fake_model: FakeModel
) -> None:
    posted = a_post(chat)
    stop(me, posted.reply)
    with nothing_changes():
        write_reply(posted.reply.id, desk)
    assert fake_model.requests == []


def test_nothing_of_a_stopped_reply_stays_in_redis(me: FlaskClient, chat: ChatSession, settings: Settings) -> None:
    claim = a_claim(a_post(chat))
    show(claim.id, 1, "Half")
    stop(me, the_message(claim.id))
    with Redis.from_url(settings.redis_url) as redis:
        assert redis.keys("holdfast:test:live:*") == []
