"""Regenerate, retry and continue: each is one accept with its own hold, and makes another version of the last reply."""

from itertools import product

import pytest
from flask.testing import FlaskClient

from shared.models import ChatSession, User
from tests.channel import Channel
from tests.factories import a_chat, a_claim, a_post, a_user, money_of, nothing_changes, the_chat, the_user
from tests.integration.messages.versions.conversation import (
    TEXT,
    answered,
    ended,
    listed,
    verb,
    versions,
    with_reply,
)

VERBS = {"regenerate": "completed", "retry": "failed", "continue": "stopped"}


@pytest.mark.parametrize("named", ["message", "reply"])
@pytest.mark.parametrize(("name", "how"), VERBS.items())
def test_another_version_takes_the_place_of_the_last_reply(
    name: str, how: str, named: str, me: FlaskClient, chat: ChatSession, channel: Channel
) -> None:
    posted = answered(chat, how=how)
    channel.forget()
    before = the_user(chat.owner_id).seq
    answer = verb(me, getattr(posted, named), name)
    reply = answer.json["reply"]
    assert (answer.status_code, answer.json["message"]["id"]) == (202, posted.message.id)
    assert reply.items() >= {"status": "pending", "version": 2, "shown": True, "replyTo": posted.message.id}.items()
    assert reply["credits"] == {"held": 3, "charged": 0, "released": 0}
    assert [event.name for event in channel.heard()] == ["message.created", "credits.changed", "message.updated"]
    assert [event.data["seq"] for event in channel.heard()] == [before + 1, before + 2, before + 3]
    hidden = channel.heard()[-1].data
    assert (hidden["id"], hidden["shown"]) == (posted.reply.id, False)  # type: ignore[union-attr]
    assert listed(me, chat) == ["A question", TEXT if name == "continue" else ""]
    assert versions(me, posted.message) == [(1, True)]
    assert versions(me, posted.reply) == [(1, False), (2, True)]
    chat_now = the_chat(chat.id)
    assert (chat_now.parked_at, chat_now.seq, chat_now.seen_seq) == (None, before + 1, before + 1)


@pytest.mark.parametrize(("name", "how"), VERBS.items())
def test_its_credits_are_held_once_and_charged_or_released_once(
    name: str, how: str, me: FlaskClient, chat: ChatSession, user: User
) -> None:
    posted = answered(chat, how=how)
    left = money_of(user.id)[0]
    reply = verb(me, posted.reply, name).json["reply"]["id"]
    assert money_of(user.id) == (left - 3, 3)
    again = ended(with_reply(posted, reply), "failed")
    assert money_of(user.id) == (left, 0)
    reply = verb(me, again.message, "retry").json["reply"]["id"]
    ended(with_reply(posted, reply))
    assert money_of(user.id) == (left - 3, 0)


@pytest.mark.parametrize(("name", "how"), VERBS.items())
def test_a_key_makes_one_version_and_the_balance_does_not_matter_the_second_time(
    name: str, how: str, me: FlaskClient, chat: ChatSession, user: User
) -> None:
    posted = answered(chat, how=how)
    first = verb(me, posted.reply, name, key="k")
    with nothing_changes():
        again = verb(me, posted.reply, name, key="k")
    assert (again.status_code, again.headers["Idempotent-Replayed"]) == (202, "true")
    ids = [[answer.json[which]["id"] for which in ("message", "reply")] for answer in (first, again)]
    assert ids[0] == ids[1]
    with nothing_changes():
        other = verb(me, posted.reply, name, key="k", model="fake")
        elsewhere = verb(me, posted.message, name, key="k")
        another = verb(me, posted.reply, "regenerate" if name == "retry" else "retry", key="k")
    assert {answer.json["code"] for answer in (other, elsewhere, another)} == {"idempotency_key_reused"}


@pytest.mark.settings(signup_credits=3)
@pytest.mark.parametrize(("name", "how"), [("regenerate", "completed"), ("edit", "completed")])
def test_without_credits_nothing_is_stored_and_other_reasons_come_first(
    name: str, how: str, me: FlaskClient, chat: ChatSession
) -> None:
    posted = answered(chat, how=how)
    with nothing_changes():
        assert verb(me, posted.message, name).json["code"] == "insufficient_credits"
        assert verb(me, posted.message, name, model="nobody's").json["code"] == "invalid_request"
    stored = me.post(f"/chats/{chat.id}/messages", json={"content": "Only stored", "generate": False})
    assert stored.status_code == 201
    with nothing_changes():
        assert verb(me, posted.message, name).json["code"] == "not_the_last_message"


@pytest.mark.parametrize(("name", "state"), [*product(VERBS, ["waits", "runs"]), ("edit", "runs")])
def test_while_a_reply_is_open_the_answer_names_it(name: str, state: str, me: FlaskClient, chat: ChatSession) -> None:
    posted = a_post(chat)
    if state == "runs":
        a_claim(posted)
    with nothing_changes():
        answer = verb(me, posted.message, name)
    assert (answer.status_code, answer.json["code"]) == (409, "reply_open")
    assert answer.json["messageId"] == posted.reply.id  # type: ignore[union-attr]


@pytest.mark.parametrize("name", [*VERBS, "edit"])
def test_an_earlier_message_is_refused_with_the_way_to_go(name: str, me: FlaskClient, chat: ChatSession) -> None:
    earlier = answered(chat, how="failed")
    answered(chat)
    with nothing_changes():
        answer = verb(me, earlier.message, name)
    assert (answer.status_code, answer.json["code"]) == (409, "not_the_last_message")
    assert "fork" in answer.json["detail"]


@pytest.mark.parametrize(
    ("name", "how", "code"),
    [
        ("retry", "completed", "nothing_to_retry"),
        ("retry", "cut", "nothing_to_retry"),
        ("retry", "stopped", "nothing_to_retry"),
        ("continue", "completed", "nothing_to_continue"),
        ("continue", "stopped at once", "nothing_to_continue"),
    ],
)
def test_a_reply_that_the_verb_does_not_fit_is_refused(
    name: str, how: str, code: str, me: FlaskClient, chat: ChatSession
) -> None:
    posted = answered(chat, how=how)
    with nothing_changes():
        answer = verb(me, posted.reply, name)
    assert (answer.status_code, answer.json["code"]) == (409, code)


@pytest.mark.parametrize(
    ("name", "how"), [("retry", "stopped at once"), ("continue", "failed"), ("continue", "cut"), ("regenerate", "cut")]
)
def test_a_reply_that_the_verb_fits_gets_another_version(
    name: str, how: str, me: FlaskClient, chat: ChatSession
) -> None:
    assert verb(me, answered(chat, how=how).reply, name).status_code == 202


def test_a_message_without_a_reply_gets_its_first_one(me: FlaskClient, chat: ChatSession) -> None:
    path = f"/chats/{chat.id}/messages"
    stored = me.post(path, json={"content": "Only stored", "generate": False}).json["message"]
    with nothing_changes():
        assert me.post(f"{path}/{stored['id']}/retry").json["code"] == "nothing_to_retry"
    reply = me.post(f"{path}/{stored['id']}/regenerate").json["reply"]
    assert (reply["version"], reply["versionOf"], reply["replyTo"]) == (1, None, stored["id"])


@pytest.mark.parametrize("name", [*VERBS, "edit", "shown"])
def test_nobody_learns_anything_of_other_peoples_messages(name: str, me: FlaskClient, chat: ChatSession) -> None:
    theirs = answered(a_chat(a_user()))
    with nothing_changes():
        assert verb(me, theirs.message, name).status_code == 403
        elsewhere = theirs.message._replace(chat_session_id=chat.id)
        assert verb(me, elsewhere, name).status_code == 403


@pytest.mark.settings(models=["fake", "other"])
def test_a_model_may_be_chosen_and_a_retry_keeps_the_one_that_failed(me: FlaskClient, chat: ChatSession) -> None:
    posted = answered(chat)
    first = verb(me, posted.reply, "regenerate", model="other").json["reply"]
    assert first["model"] == "other"
    ended(with_reply(posted, first["id"]), "failed")
    assert verb(me, posted.message, "retry").json["reply"]["model"] == "other"


@pytest.mark.parametrize(("name", "how"), [("retry", "failed"), ("continue", "stopped")])
def test_a_hidden_reply_is_not_asked_for_again_in_the_place_of_an_answer(
    name: str, how: str, me: FlaskClient, chat: ChatSession, user: User
) -> None:
    first = answered(chat, how=how)
    ended(with_reply(first, verb(me, first.reply, name).json["reply"]["id"]), text="A paid answer")
    with nothing_changes():
        answer = verb(me, first.reply, name)
        assert (answer.status_code, answer.json["code"]) == (409, "not_shown")
    verb(me, first.reply, "shown")
    assert verb(me, first.reply, name).status_code == 202
