"""A continued reply begins with the kept text: for its readers, for the model, and after each crash."""

from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from shared.actions.messages.accept import Posted
from shared.actions.replies.claim import Claim, claim_reply
from shared.actions.replies.finish import Answer, complete_reply
from shared.actions.replies.leases import renew_leases
from shared.actions.replies.release import give_back
from shared.actions.replies.rescue import expire_overdue, rescue_lapsed
from shared.actions.replies.stop import stop_reply
from shared.core import current_link
from shared.models import ChatSession, User
from shared.redis.live_text import Piece, append
from tests.channel import Channel
from tests.eventually import eventually
from tests.factories import a_post, change, meanwhile, money_of, past, the_message
from tests.fake_model import FakeModel
from tests.integration.messages.versions.conversation import TEXT, ended, listed, verb, with_reply
from workers.providers import GO_ON
from workers.reply import Desk, write_reply
from workers.run import Run


def continued(me: FlaskClient, chat: ChatSession, content: str = "A question", kept: str = TEXT) -> Posted:
    """The pair with another version of its failed reply, which goes on from the kept text."""
    posted = ended(a_post(chat, content), "failed", kept)
    return with_reply(posted, verb(me, posted.reply, "continue").json["reply"]["id"])


def claimed(posted: Posted) -> Claim:
    claim = claim_reply(posted.reply.id, "a worker")  # type: ignore[union-attr]
    assert claim
    return claim


def read(me: FlaskClient, posted: Posted) -> Any:
    reply = posted.reply
    assert reply
    return me.get(f"/chats/{reply.chat_session_id}/messages/{reply.id}").json


def test_a_reader_has_the_kept_text_from_the_first_moment_on(
    me: FlaskClient, chat: ChatSession, channel: Channel
) -> None:
    posted = continued(me, chat)
    assert read(me, posted).items() >= {"status": "pending", "content": TEXT}.items()
    channel.forget()
    claim = claimed(posted)
    (started,) = channel.named("message.started")
    assert (started.data["content"], started.data["nextIndex"]) == (TEXT, 1)
    assert read(me, posted).items() >= {"status": "running", "content": TEXT, "nextIndex": 1}.items()
    assert append(current_link(), [Piece(claim.id, 1, " and", b'["nobody","resync",{}]')]) == [2]
    assert read(me, posted).items() >= {"content": TEXT + " and", "nextIndex": 2}.items()


def test_the_model_is_asked_to_go_on_and_the_reply_is_both_texts(
    me: FlaskClient, chat: ChatSession, user: User, desk: Desk, fake_model: FakeModel, channel: Channel
) -> None:
    posted = continued(me, chat, "Hello fake:chunks=3")
    write_reply(posted.reply.id, desk)  # type: ignore[union-attr]
    row = the_message(posted.reply.id)  # type: ignore[union-attr]
    assert (row.status, row.content, row.version) == ("completed", TEXT + "word0 word1 word2 ", 2)
    assert row.continues != row.id
    (request,) = fake_model.requests
    assert [(said["role"], said["content"]) for said in request.messages[1:]] == [
        ("user", "Hello fake:chunks=3"),
        ("assistant", TEXT),
        ("user", GO_ON),
    ]
    deltas = [event.data for event in channel.named("message.delta")]
    assert [delta["index"] for delta in deltas] == list(range(1, 1 + len(deltas)))
    assert row.content.startswith(TEXT + "".join(delta["text"] for delta in deltas))
    assert money_of(user.id) == (297, 0)


@pytest.mark.parametrize("crash", ["before any text", "after some text"])
def test_after_a_crash_the_next_attempt_begins_with_the_kept_text_again(
    crash: str, me: FlaskClient, chat: ChatSession
) -> None:
    posted = continued(me, chat)
    claim = claimed(posted)
    if crash == "after some text":
        run = Run(claim)
        run.add(" and more")
        run.sent.append(run.take_unshown())
        renew_leases([(claim, *run.checkpoint())])
        assert the_message(claim.id).content == TEXT + " and more"
    change(claim.id, lease_until=past(1))
    assert rescue_lapsed() == 1
    again = claimed(posted)
    assert (again.attempt, again.kept) == (2, TEXT)
    assert (the_message(claim.id).content, read(me, posted)["content"]) == (TEXT, TEXT)
    complete_reply(again, Answer(TEXT + " at last", 2, finish_reason="stop"))
    assert listed(me, chat)[-1] == TEXT + " at last"


@pytest.mark.parametrize(("more", "left"), [("", 300), (" and more", 297)])
def test_a_stop_charges_for_new_text_only_and_keeps_the_text(
    more: str, left: int, me: FlaskClient, chat: ChatSession, user: User
) -> None:
    posted = continued(me, chat)
    claim = claimed(posted)
    change(claim.id, content=TEXT + more, live_index=1 + bool(more))
    stopped = stop_reply(user.id, chat.id, claim.id)
    assert (stopped.status, stopped.content) == ("cancelled", TEXT + more)
    assert money_of(user.id) == (left, 0)


def test_what_waited_too_long_keeps_the_text_at_no_cost(me: FlaskClient, chat: ChatSession, user: User) -> None:
    posted = continued(me, chat)
    change(posted.reply.id, deadline_at=past(1), dispatched_at=None)  # type: ignore[union-attr]
    assert expire_overdue() == 1
    row = the_message(posted.reply.id)  # type: ignore[union-attr]
    assert (row.status, row.content, money_of(user.id)) == ("cancelled", TEXT, (300, 0))


def test_a_model_that_says_nothing_more_costs_nothing_and_may_be_asked_again(
    me: FlaskClient, chat: ChatSession, user: User, desk: Desk
) -> None:
    posted = continued(me, chat, "Hello fake:empty")
    write_reply(posted.reply.id, desk)  # type: ignore[union-attr]
    row = the_message(posted.reply.id)  # type: ignore[union-attr]
    assert (row.status, row.content, row.failures, row.first_text_at) == ("pending", TEXT, 1, None)
    assert money_of(user.id) == (297, 3)


def test_a_failure_after_new_text_keeps_both_and_can_be_continued(
    me: FlaskClient, chat: ChatSession, user: User, desk: Desk
) -> None:
    posted = continued(me, chat, "Hello fake:chunks=5,every=30,cut_after=3")
    write_reply(posted.reply.id, desk)  # type: ignore[union-attr]
    row = the_message(posted.reply.id)  # type: ignore[union-attr]
    assert (row.status, row.content, money_of(user.id)) == ("failed", TEXT + "word0 word1 word2 ", (300, 0))
    again = verb(me, posted.reply, "continue").json["reply"]
    assert (again["version"], again["content"], again["continues"]) == (3, row.content, row.id)


def test_text_that_redis_lost_comes_back_with_the_kept_one(
    core: Flask, me: FlaskClient, chat: ChatSession, desk: Desk, redis: Any, fake_model: FakeModel
) -> None:
    posted = continued(me, chat, "Hello fake:chunks=60,every=20")
    reply = posted.reply
    assert reply
    with meanwhile(core, lambda: write_reply(reply.id, desk)):
        eventually(lambda: read(me, posted).get("nextIndex", 0) > 3)
        redis.flushall()
        eventually(lambda: read(me, posted)["content"].startswith(TEXT + "word0 word1 word2 word3 "))
    assert the_message(reply.id).content.startswith(TEXT + "word0 ")


@pytest.mark.settings(context_tokens=300)
def test_of_a_long_kept_text_the_model_gets_the_end(
    me: FlaskClient, chat: ChatSession, desk: Desk, fake_model: FakeModel
) -> None:
    kept = "".join(f"{n:05} " for n in range(400))
    posted = continued(me, chat, "Hello fake:chunks=1", kept)
    write_reply(posted.reply.id, desk)  # type: ignore[union-attr]
    assert the_message(posted.reply.id).content == kept + "word0 "  # type: ignore[union-attr]
    (request,) = fake_model.requests
    question, begun, go_on = (said["content"] for said in request.messages[1:])
    assert (question, go_on) == ("Hello fake:chunks=1", GO_ON)
    assert kept.endswith(begun)
    assert 0 < len(begun) < 600


def test_a_reply_that_is_given_back_waits_with_its_text(me: FlaskClient, chat: ChatSession) -> None:
    posted = continued(me, chat)
    assert give_back(claimed(posted), 0)
    assert read(me, posted).items() >= {"status": "pending", "content": TEXT}.items()
