"""A refused post stores nothing, takes no number and sends no event."""

from typing import Any
from uuid import uuid4

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import update

from shared.database.units import execute, write_unit
from shared.models import ChatSession, User
from shared.models.chat import chat_sessions
from tests.channel import Channel
from tests.factories import a_chat, a_post, a_user, nothing_changes, on_sqlite_only, signed_in


def refused(client: FlaskClient, path: str, channel: Channel, **request: Any) -> tuple[int, str]:
    """The status and code of the answer to a post that must leave no trace."""
    channel.forget()
    with nothing_changes():
        answer = client.post(path, **({"json": {"content": "Hello"}} | request))
    assert channel.heard() == []
    assert answer.mimetype == "application/problem+json"
    assert answer.json["status"] == answer.status_code
    return answer.status_code, answer.json["code"]


@pytest.mark.settings(signup_credits=5)
@pytest.mark.parametrize("headers", [{}, {"Idempotency-Key": "k"}])
def test_without_the_credits(headers: dict[str, str], me: FlaskClient, chat: ChatSession, channel: Channel) -> None:
    path = f"/chats/{chat.id}/messages"
    assert me.post(path, json={"content": "Hello"}).status_code == 202
    assert refused(me, path, channel, headers=headers) == (402, "insufficient_credits")


def test_in_somebody_elses_chat_or_none(me: FlaskClient, channel: Channel) -> None:
    for ref in (a_chat().id, a_chat().display_id, uuid4(), "c-0000000000", "%00", "x" * 3000):
        assert refused(me, f"/chats/{ref}/messages", channel) == (403, "forbidden")


@pytest.mark.settings(signup_credits=2)
def test_a_foreign_chat_answers_the_same_whatever_the_balance(me: FlaskClient, channel: Channel) -> None:
    assert refused(me, f"/chats/{a_chat().id}/messages", channel) == (403, "forbidden")


@pytest.mark.settings(signup_credits=2)
@pytest.mark.parametrize("ref", ["id", "display_id"])
def test_in_a_deleted_chat(ref: str, me: FlaskClient, chat: ChatSession, channel: Channel) -> None:
    me.delete(f"/chats/{chat.id}")
    assert refused(me, f"/chats/{getattr(chat, ref)}/messages", channel) == (404, "not_found")


def test_a_key_used_for_another_request(me: FlaskClient, chat: ChatSession, channel: Channel) -> None:
    me.post(f"/chats/{chat.id}/messages", json={"content": "Hello"}, headers={"Idempotency-Key": "k"})
    other = a_chat(a_user())
    hello = {"content": "Hello"}
    for path, body in (
        (chat.id, {"content": "Hello!"}),
        (chat.id, {"content": "hello"}),
        (chat.id, hello | {"model": "another"}),
        (other.id, hello),
    ):
        again = {"json": body, "headers": {"Idempotency-Key": "k"}}
        found = refused(me, f"/chats/{path}/messages", channel, **again)
        assert found == (422, "idempotency_key_reused")


@on_sqlite_only
@pytest.mark.parametrize("key", ["", "x" * 256, "é", "tab\there"])
def test_a_key_that_is_none(key: str, me: FlaskClient, chat: ChatSession, channel: Channel) -> None:
    headers = {"Idempotency-Key": key.encode().decode("latin-1")}
    assert refused(me, f"/chats/{chat.id}/messages", channel, headers=headers) == (422, "invalid_request")


def refused_for_its_model(me: FlaskClient, user: User, channel: Channel) -> str:
    """The chat that refuses a post, because the server offers its model no more."""
    chat = a_chat(user)
    with write_unit():
        execute(update(chat_sessions).where(chat_sessions.c.id == chat.id).values(settings={"model": "of yesterday"}))
    assert refused(me, f"/chats/{chat.id}/messages", channel) == (409, "model_not_offered")
    return chat.id


def test_in_a_chat_whose_model_is_offered_no_more(me: FlaskClient, user: User, channel: Channel) -> None:
    chat = refused_for_its_model(me, user, channel)
    assert me.post(f"/chats/{chat}/messages", json={"content": "Hello", "model": "fake"}).status_code == 202


@pytest.mark.settings(signup_credits=2)
def test_in_such_a_chat_without_the_credits(me: FlaskClient, user: User, channel: Channel) -> None:
    refused_for_its_model(me, user, channel)


@pytest.mark.parametrize("headers", [{}, {"Idempotency-Key": "k"}])
def test_a_model_that_is_not_on_the_list(
    headers: dict[str, str], me: FlaskClient, chat: ChatSession, channel: Channel
) -> None:
    again = {"json": {"content": "Hello", "model": "another"}, "headers": headers}
    for ref in (chat.id, a_chat().id, uuid4()):
        assert refused(me, f"/chats/{ref}/messages", channel, **again) == (422, "invalid_request")


@pytest.mark.settings(max_waiting_replies=2)
def test_with_too_many_replies_waiting(app: Flask, me: FlaskClient, chat: ChatSession, channel: Channel) -> None:
    a_post(chat)
    a_post(chat)
    assert refused(me, f"/chats/{chat.id}/messages", channel) == (429, "too_many_waiting")
    answer = me.post(f"/chats/{chat.id}/messages", json={"content": "Hello"})
    assert (answer.json["retryable"], answer.headers["Retry-After"]) == (True, str(answer.json["retryAfter"]))
    # another user's replies do not count
    someone = a_user()
    theirs = signed_in(app, someone).post(f"/chats/{a_chat(someone).id}/messages", json={"content": "Hello"})
    assert theirs.status_code == 202
