"""`generate: false` stores a message without a reply or a charge. System messages are for admins, and for the model."""

from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import update

from shared.actions.queue.parking import resume_queue
from shared.actions.replies.claim import claim_reply
from shared.actions.replies.finish import Answer, fail_reply
from shared.database.clock import utc_now
from shared.database.units import execute, write_unit
from shared.errors.replies import WorkerLost
from shared.models import ChatSession, User
from shared.models.chat import chat_sessions
from shared.models.user import ADMIN, users
from tests.channel import Channel
from tests.factories import a_claim, a_post, money_of, nothing_changes, the_chat, the_user
from tests.integration.messages.versions.conversation import answered
from workers.context.history import recent_messages


@pytest.fixture
def admin(user: User) -> User:
    with write_unit():
        execute(update(users).where(users.c.id == user.id).values(role=ADMIN))
    return user


def store(me: FlaskClient, chat: ChatSession, key: str | None = None, **body: Any) -> Any:
    headers = {"Idempotency-Key": key} if key else {}
    sent = {"content": "Only stored", "generate": False} | body
    return me.post(f"/chats/{chat.id}/messages", json=sent, headers=headers)


def test_it_is_stored_and_told_without_a_reply_or_a_charge(
    me: FlaskClient, chat: ChatSession, user: User, channel: Channel
) -> None:
    before = the_user(user.id).seq
    answer = store(me, chat)
    message = answer.json["message"]
    assert (answer.status_code, answer.json["reply"]) == (201, None)
    assert answer.json["credits"] == {"balance": 300, "held": 0}
    assert (message["status"], message["role"], message["position"]) == ("completed", "user", 0)
    created, chat_event = channel.heard()
    assert (created.name, created.data | {"queue": None}) == ("message.created", message)
    assert message["seq"] == before + 1
    now = the_chat(chat.id)
    assert (chat_event.name, chat_event.data["seq"]) == ("chat.updated", before + 2)
    assert (now.next_position, now.seq, now.seen_seq) == (1, before + 2, before + 2)
    assert me.get(f"/chats/{chat.id}/messages").json["items"] == [message]
    assert money_of(user.id) == (300, 0)


@pytest.mark.settings(signup_credits=0)
def test_it_needs_no_credits(me: FlaskClient, chat: ChatSession) -> None:
    assert store(me, chat).status_code == 201


def test_a_key_stores_it_once_and_is_not_one_of_a_post(me: FlaskClient, chat: ChatSession) -> None:
    first = store(me, chat, key="k")
    with nothing_changes():
        again = store(me, chat, key="k")
        post = store(me, chat, key="k", generate=None)
    assert (again.status_code, again.headers["Idempotent-Replayed"], again.json) == (201, "true", first.json)
    assert (post.status_code, post.json["code"]) == (422, "idempotency_key_reused")


def test_while_a_reply_runs_and_others_wait_it_is_stored_and_the_model_gets_it_later(
    me: FlaskClient, chat: ChatSession
) -> None:
    running = a_claim(a_post(chat, "First"))
    assert store(me, chat).status_code == 201
    later = a_post(chat, "Next")
    assert [said["content"] for said in recent_messages(running).messages] == ["First"]
    fail_reply(running, WorkerLost(), Answer(""))
    resume_queue(chat.owner_id, chat.id)
    assert [said["content"] for said in recent_messages(a_claim(later)).messages] == ["First", "Only stored", "Next"]


def test_a_parked_chat_stays_parked(me: FlaskClient, chat: ChatSession) -> None:
    answered(chat, how="failed")
    store(me, chat)
    assert the_chat(chat.id).parked_at
    resume_queue(chat.owner_id, chat.id)


@pytest.mark.parametrize("generate", ["false", 0, 1, "yes", [], {}])
def test_nothing_but_true_and_false_is_a_flag(generate: Any, me: FlaskClient, chat: ChatSession) -> None:
    with nothing_changes():
        answer = store(me, chat, generate=generate)
    assert (answer.status_code, answer.json["errors"].keys()) == (422, {"generate"})


def test_an_admins_system_message_is_for_the_model(me: FlaskClient, chat: ChatSession, admin: User) -> None:
    answered(chat, "First")
    answer = me.post(f"/chats/{chat.id}/messages", json={"content": "Be brief.", "role": "system"})
    assert (answer.status_code, answer.json["message"]["role"]) == (201, "system")
    assert answer.json["message"]["messageType"] == "system"
    said = recent_messages(a_claim(a_post(chat, "Next"))).messages
    assert [(one["role"], one["content"]) for one in said][2:] == [("system", "Be brief."), ("user", "Next")]
    assert money_of(admin.id) == (294, 3)


def test_a_system_message_never_has_a_reply(me: FlaskClient, chat: ChatSession, admin: User) -> None:
    with nothing_changes():
        answer = store(me, chat, role="system", generate=True)
        assert (answer.status_code, answer.json["errors"].keys()) == (422, {"generate"})
    system = store(me, chat, role="system").json["message"]
    path = f"/chats/{chat.id}/messages/{system['id']}"
    with nothing_changes():
        assert me.post(f"{path}/regenerate").json["code"] == "not_the_last_message"
        assert me.patch(path, json={"content": "x"}).json["code"] == "not_editable"
    assert me.delete(path).status_code == 204


def test_the_last_message_before_a_system_message_can_still_be_answered_anew(
    me: FlaskClient, chat: ChatSession, admin: User
) -> None:
    posted = answered(chat, "First")
    store(me, chat, role="system")
    reply = me.post(f"/chats/{chat.id}/messages/{posted.message.id}/regenerate").json["reply"]
    claim = claim_reply(reply["id"], "a worker")
    assert claim
    assert [said["content"] for said in recent_messages(claim).messages] == ["First"]


@pytest.mark.parametrize("role", ["user", "demo"])
def test_nobody_else_writes_system_messages(role: str, me: FlaskClient, chat: ChatSession, user: User) -> None:
    with write_unit():
        execute(update(users).where(users.c.id == user.id).values(role=role))
    with nothing_changes():
        answer = store(me, chat, role="system")
    assert (answer.status_code, answer.json["code"]) == (403, "forbidden")


def test_other_roles_are_refused(me: FlaskClient, chat: ChatSession) -> None:
    with nothing_changes():
        assert store(me, chat, role="assistant").json["errors"].keys() == {"role"}


def test_the_chats_own_event_says_whether_it_is_still_parked_and_read(
    me: FlaskClient, chat: ChatSession, admin: User, channel: Channel
) -> None:
    answered(chat, how="failed")
    a_post(chat)
    park_again(chat)
    for role in ("user", "system"):
        channel.forget()
        store(me, chat, role=role)
        assert channel.names() == ["message.created", "chat.updated"]
        told = channel.heard()[-1].data
        assert (told["parked"], told["unread"], told) == (True, False, me.get(f"/chats/{chat.id}").json)


def park_again(chat: ChatSession) -> None:
    with write_unit():
        execute(update(chat_sessions).where(chat_sessions.c.id == chat.id).values(parked_at=utc_now()))
