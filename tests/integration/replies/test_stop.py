"""Stopping a reply works until the reply is final. Its event goes out once; only kept text is charged."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from uuid import uuid4

import pytest
from flask import Flask
from flask.testing import FlaskClient
from redis import Redis

from shared.actions.replies.finish import Answer, complete_reply, fail_reply, note_first_text
from shared.actions.replies.leases import renew_leases
from shared.actions.replies.rescue import rescue_lapsed
from shared.core import current_link
from shared.errors.replies import ModelRejected
from shared.models import ChatSession, User
from shared.redis.live_text import LiveText, Piece, append, read
from shared.settings import Settings
from tests.channel import Channel
from tests.eventually import eventually
from tests.factories import (
    a_chat,
    a_claim,
    a_post,
    at_once,
    change,
    meanwhile,
    money_of,
    nothing_changes,
    past,
    the_chat,
    the_message,
    the_user,
)
from tests.fake_model import FakeModel
from workers.reply import Desk, write_reply


def stop(me: FlaskClient, message: object) -> dict[str, object]:
    """The message in the answer to a stop."""
    answer = me.post(f"/chats/{message.chat_session_id}/messages/{message.id}/stop")  # type: ignore[attr-defined]
    assert answer.status_code == 200, answer.text
    return dict(answer.json)


def show(claim_id: str, attempt: int, text: str) -> None:
    """Append a piece of live text as the worker does."""
    assert append(current_link(), [Piece(claim_id, attempt, text, b'["nobody","message.delta",{}]')])


@contextmanager
def being_written(core: Flask, reply_id: str, desk: Desk) -> Iterator[None]:
    with meanwhile(core, lambda: write_reply(reply_id, desk)):
        yield


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
    assert cancelled.data == stopped | {"nextIndex": 2}
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


@pytest.mark.parametrize(("saved", "charged"), [("Half", 3), ("", 0)])
def test_between_two_attempts_what_the_first_one_showed_is_kept(
    saved: str, charged: int, me: FlaskClient, chat: ChatSession, user: User
) -> None:
    claim = a_claim(a_post(chat))
    renew_leases([(claim, saved, 1)])
    change(claim.id, lease_until=past(1))
    assert rescue_lapsed() == 1
    stopped = stop(me, the_message(claim.id))
    assert (stopped["status"], stopped["content"], stopped["attempt"]) == ("cancelled", saved, 1)
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


def test_blank_text_is_no_text(me: FlaskClient, chat: ChatSession) -> None:
    claim = a_claim(a_post(chat))
    show(claim.id, 1, " \n")
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
