"""An accepted post that is sent again with its key gets the same ids, despite all changes in between."""

import hashlib
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import msgspec
import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import update

from shared.actions.accounts.disable import disable_account, enable_account
from shared.actions.messages import idempotency
from shared.actions.upkeep.forget_keys import forget_keys
from shared.database.clock import utc_now
from shared.database.units import execute, query, write_unit
from shared.models import ChatSession, User
from shared.models.idempotency import idempotency_keys
from shared.settings import Settings
from tests.factories import at_once, nothing_changes, signed_in

BODIES: list[dict[str, Any]] = [{}, {"model": None}, {"model": "fake"}]


def post(client: FlaskClient, chat: ChatSession, **body: Any) -> Any:
    headers = {"Idempotency-Key": "k"}
    return client.post(f"/chats/{chat.id}/messages", json={"content": "Hello"} | body, headers=headers)


def is_replay(answer: Any, first: Any) -> bool:
    ids = [[found.json[which]["id"] for which in ("message", "reply")] for found in (answer, first)]
    return (answer.status_code, answer.headers.get("Idempotent-Replayed"), ids[0]) == (202, "true", ids[1])


@pytest.mark.parametrize(
    ("changed", "body"),
    [({"model": "newer", "models": ["newer"]}, body) for body in BODIES]
    + [({"max_waiting_replies": 1}, {}), ({"credits_per_reply": 200}, {}), ({"credits_per_reply": 500}, {})],
    ids=str,
)
def test_a_key_outlives_a_deploy_with_other_settings(
    changed: dict[str, Any],
    body: dict[str, Any],
    me: FlaskClient,
    user: User,
    chat: ChatSession,
    settings: Settings,
    another_app: Callable[[Settings], Flask],
) -> None:
    first = post(me, chat, **body)
    newer = another_app(replace(settings, **changed))
    with nothing_changes():
        again = post(signed_in(newer, user), chat, **body)
    assert is_replay(again, first), again.json


def test_whoever_was_disabled_meanwhile_finds_the_post_when_enabled(me: FlaskClient, chat: ChatSession) -> None:
    """`401` says nothing of the stored post, so no client answers it with a new key."""
    first = post(me, chat)
    disable_account(chat.owner_id)
    assert post(me, chat).status_code == 401
    enable_account(chat.owner_id)
    assert is_replay(post(me, chat), first)


def test_the_message_or_the_chat_may_be_deleted_meanwhile(me: FlaskClient, chat: ChatSession) -> None:
    first = post(me, chat)
    me.delete(f"/chats/{chat.id}/messages/{first.json['message']['id']}")
    assert is_replay(post(me, chat), first)
    me.delete(f"/chats/{chat.id}")
    assert is_replay(post(me, chat), first)


def test_a_body_says_the_same_with_a_null_as_without(me: FlaskClient, chat: ChatSession) -> None:
    first = post(me, chat)
    assert is_replay(post(me, chat, model=None), first)


@pytest.mark.parametrize("body", BODIES, ids=str)
def test_a_key_of_before_requests_were_kept_as_sent_is_known(
    body: dict[str, Any], me: FlaskClient, chat: ChatSession
) -> None:
    first = post(me, chat, **body)
    stored = hashlib.sha256(msgspec.json.encode(("POST", chat.id, "Hello", "fake"))).hexdigest()
    with write_unit():
        execute(update(idempotency_keys).values(fingerprint=stored))
    assert is_replay(post(me, chat, **body), first)
    assert post(me, chat, content="hello").status_code == 422
    assert post(me, chat, model="another").status_code == 422


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)  # on SQLite no other unit can come in between
def test_a_key_that_is_forgotten_while_it_is_looked_up_is_stored_anew(
    core: Flask, me: FlaskClient, chat: ChatSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = post(me, chat)
    with write_unit():
        execute(update(idempotency_keys).values(created_at=utc_now() - timedelta(hours=25)))

    def forgotten_first(statement: Any, values: Any) -> Any:
        if statement is idempotency._find:
            monkeypatch.undo()
            assert at_once(core, forget_keys) == [1]
        return query(statement, values)

    monkeypatch.setattr(idempotency, "query", forgotten_first)
    new = post(me, chat)
    assert new.json["message"]["id"] != old.json["message"]["id"]
    assert is_replay(post(me, chat), new)


def test_a_key_may_be_used_for_something_else_after_a_day(me: FlaskClient, chat: ChatSession) -> None:
    path, keyed = f"/chats/{chat.id}/messages", {"Idempotency-Key": "k"}
    first = me.post(path, json={"content": "Hello"}, headers=keyed).json
    age_keys(hours=23.9)
    assert forget_keys() == 0
    assert me.post(path, json={"content": "Hello"}, headers=keyed).json["reply"]["id"] == first["reply"]["id"]
    age_keys(hours=24.1)
    assert forget_keys() == 1
    second = me.post(path, json={"content": "Something else"}, headers=keyed)
    assert second.status_code == 202
    assert second.json["reply"]["id"] != first["reply"]["id"]


def age_keys(hours: float) -> None:
    with write_unit():
        execute(update(idempotency_keys).values(created_at=utc_now() - timedelta(hours=hours)))
