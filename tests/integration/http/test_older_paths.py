"""The older HTTP contract: docs/older-clients.md maps its paths and names, and each path does the same as the newer."""

import re
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient

from shared.models import ChatSession

PAGE = (Path(__file__).parents[3] / "docs" / "older-clients.md").read_text()

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


@pytest.mark.parametrize("path", ["/api/conversations/", "/api/conversations", "/api/chat/start"])
def test_a_conversation_is_a_chat(path: str, me: FlaskClient) -> None:
    made = me.post(path, json={"title": "Old"})
    assert (made.status_code, made.json["title"]) == (201, "Old")
    assert made.json["conversationId"] == made.json["sessionId"] == made.json["id"]
    assert me.get(f"/chats/{made.json['conversationId']}").json["title"] == "Old"
    named = {"conversationId": made.json["id"], "sessionId": made.json["id"]}
    (newer,) = me.get("/chats").json["items"]
    assert me.get("/api/conversations/").json == {"items": [newer | named], "nextCursor": None}


def test_a_message_of_a_conversation_is_stored_without_a_reply(me: FlaskClient, chat: ChatSession) -> None:
    path = f"/api/conversations/{chat.id}/messages"
    stored = me.post(path, json={"content": "Kept"}, headers={"Idempotency-Key": "one"})
    assert (stored.status_code, stored.json["content"], stored.json["conversationId"]) == (201, "Kept", chat.id)
    again = me.post(path, json={"content": "Kept"}, headers={"Idempotency-Key": "one"})
    assert (again.headers["Idempotent-Replayed"], again.json["id"]) == ("true", stored.json["id"])
    assert [message["id"] for message in me.get(path).json["items"]] == [stored.json["id"]]
    newer = me.get(f"/chats/{chat.id}/messages").json
    named = {"conversationId": chat.id, "sessionId": chat.id}
    older = newer | {"items": [item | named for item in newer["items"]]}
    assert me.get(path).json == me.get(f"/api/chat/{chat.id}/history").json == older
    assert stored.json.items() >= named.items()
    assert me.get("/credits").json["held"] == 0


@pytest.mark.parametrize("name", ["content", "message"])
def test_a_chat_message_gets_a_reply(name: str, me: FlaskClient, chat: ChatSession) -> None:
    posted = me.post(f"/api/chat/{chat.id}/message", json={name: "Hello"})
    assert posted.status_code == 202
    assert posted.json.keys() == {"conversationId", "message", "reply", "credits"}
    assert (posted.json["conversationId"], posted.json["message"]["content"]) == (chat.id, "Hello")
    history = me.get(f"/api/chat/{chat.id}/history").json["items"]
    assert [message["id"] for message in history] == [posted.json[part]["id"] for part in ("message", "reply")]


@pytest.mark.parametrize("body", [{}, {"content": "a", "message": "b"}, {"message": " "}, {"message": 7}])
def test_a_chat_message_has_one_text(body: dict[str, object], me: FlaskClient, chat: ChatSession) -> None:
    answer = me.post(f"/api/chat/{chat.id}/message", json=body)
    assert (answer.status_code, answer.json["code"]) == (422, "invalid_request")


def test_the_page_names_real_paths_only(app: Flask) -> None:
    routes = {
        (method, re.sub(r"<[^>]+>", "{}", rule.rule).rstrip("/"))
        for rule in app.url_map.iter_rules()
        for method in rule.methods or ()
    }
    named = re.findall(r"`(GET|POST|PUT|PATCH|DELETE) (/[^`?]*)[^`]*`", PAGE)
    assert len(named) > 20
    assert [
        (method, path) for method, path in named if (method, re.sub(r"\{\w+\}", "{}", path).rstrip("/")) not in routes
    ] == []
