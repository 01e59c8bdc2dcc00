"""A malformed body gets a 4xx with a stable code, at once. The server stores nothing and charges nothing."""

import json
from typing import Any

import pytest
from flask.testing import FlaskClient

from api.access import tokens
from shared.models import ChatSession
from shared.settings import Settings
from tests.factories import on_sqlite_only
from tests.integration.http.refusals import POST, refusal

# The server refuses all of it before it reads a row, so one kind of database is enough.
pytestmark = [on_sqlite_only, pytest.mark.usefixtures("is_refused_without_a_trace")]
MEBIBYTE = 1024 * 1024

#: Bodies that every path refuses.
NO_OBJECTS: dict[str, tuple[bytes, int, str]] = {
    "not JSON": (b"{content: 1}", 400, "malformed_body"),
    "half of it": (b'{"content": "He', 400, "malformed_body"),
    "two of them": (b'{"content": "a"}{"content": "b"}', 400, "malformed_body"),
    "blank": (b" ", 400, "malformed_body"),
    "invalid UTF-8": (b'{"content": "\xff\xfe"}', 400, "malformed_body"),
    "half a character": (b'{"content": "\xc3"}', 400, "malformed_body"),
    "NaN": (b'{"content": NaN}', 400, "malformed_body"),
    "infinity": (b'{"content": -Infinity}', 400, "malformed_body"),
    "4,000 deep": (b"[" * 4000, 400, "malformed_body"),
    "1,100 deep in a field": (b'{"content":' * 1100 + b"1" + b"}" * 1100, 400, "malformed_body"),
    "a number of 5,000 digits": (b'{"content": %s}' % (b"9" * 5000), 400, "malformed_body"),
    "an unknown field named with half a pair": (b'{"content": "a", "\\ud800": 1}', 422, "invalid_request"),
    "a field twice": (b'{"content": "a", "content": "b"}', 400, "malformed_body"),
    "larger than the server takes": (b'{"content": "%s"}' % (b"x" * 3 * MEBIBYTE), 413, "body_too_large"),
    "null": (b"null", 422, "invalid_request"),
    "a string": (b'"content"', 422, "invalid_request"),
    "a list": (b'[{"content": "a"}]', 422, "invalid_request"),
    "a number": (b"1e999", 422, "invalid_request"),
    "unknown fields": (b'{"content": "a", "status": "a", "role": "system", "__proto__": {}}', 422, "invalid_request"),
}

#: Values that the one required field of each call does not allow. `json` writes them.
WRONG_TYPES: dict[str, Any] = {
    "null": None,
    "true": True,
    "a number": 7,
    "a list": ["Hello"],
    "an object": {"text": "Hello"},
    "empty": "",
    "blank": " \t\n\u00a0\u3000",
    "NUL alone": "\x00\x00",
    "half a pair alone": "\ud83d",
}
#: Every call that takes a text, and the field that holds it.
TEXTS = [("POST", POST, "content"), ("POST", "/chats", "title"), ("PATCH", "/chats/{chat}", "title")]
TEXTS += [("PATCH", "/chats/{chat}/messages/{chat}", "content")]


def send(client: FlaskClient, path: str, chat: ChatSession, body: bytes, method: str = "POST") -> Any:
    return client.open(path.format(chat=chat.id), method=method, data=body, content_type="application/json")


@pytest.mark.parametrize("what", NO_OBJECTS)
def test_a_body_is_refused_that_is(what: str, me: FlaskClient, chat: ChatSession) -> None:
    body, status, code = NO_OBJECTS[what]
    for method, path, field in [*TEXTS, ("POST", "/auth/sign-up", "email")]:
        answer = send(me, path, chat, body.replace(b"content", field.encode()), method)
        assert refusal(answer) == (status, code), path


@pytest.mark.parametrize("what", WRONG_TYPES)
def test_a_text_is_refused_that_is(what: str, me: FlaskClient, chat: ChatSession) -> None:
    value = WRONG_TYPES[what]
    for method, path, field in TEXTS:
        answer = send(me, path, chat, json.dumps({field: value}).encode(), method)
        assert refusal(answer) == (422, "invalid_request"), path
        assert list(answer.json["errors"]) == [field]


def test_a_text_is_refused_that_is_too_long(me: FlaskClient, chat: ChatSession) -> None:
    for text in ("x" * 100_001, "x" * MEBIBYTE):
        assert refusal(send(me, POST, chat, json.dumps({"content": text}).encode())) == (422, "invalid_request")
    for path, method in (("/chats", "POST"), ("/chats/{chat}", "PATCH")):
        answer = send(me, path, chat, json.dumps({"title": "x" * 201}).encode(), method)
        assert refusal(answer) == (422, "invalid_request")


def test_a_field_is_missing(me: FlaskClient, chat: ChatSession) -> None:
    for body in (b"{}", b""):
        answer = send(me, POST, chat, body)
        assert refusal(answer) == (422, "invalid_request")
        assert list(answer.json["errors"]) == ["content"]


SETTINGS: dict[str, Any] = {
    "settings": [None, [], "x", 1, True],
    "settings.model": ["another", 7, "", []],
    "settings.whenBusy": ["later", "", 1, False],
    "settings.includeContext": ["true", 1, 0, "yes", []],
    "settings.instructions": [7, ["x"], {"x": 1}, "x" * 4001],
    "settings.theme": ["dark"],
}


@pytest.mark.parametrize("field", SETTINGS)
def test_settings_are_refused_that_have_a_wrong(field: str, me: FlaskClient, chat: ChatSession) -> None:
    for value in SETTINGS[field]:
        settings = {field.partition(".")[2]: value} if "." in field else value
        for method, path in (("POST", "/chats"), ("PATCH", "/chats/{chat}")):
            answer = send(me, path, chat, json.dumps({"settings": settings}).encode(), method)
            assert refusal(answer) == (422, "invalid_request"), (path, value)
            assert list(answer.json["errors"]) == [field]


def test_whether_a_chat_is_archived_is_true_or_false(me: FlaskClient, chat: ChatSession) -> None:
    for value in (1, "true", None, []):
        answer = send(me, "/chats/{chat}", chat, json.dumps({"archived": value}).encode(), "PATCH")
        assert refusal(answer) == (422, "invalid_request"), value


@pytest.mark.parametrize(
    ("field", "value"),
    [
        *[("email", value) for value in ("", "ada", "@", "ada@", "@x", "a b@x", "a@b@c", "\x00@\x00", 7, None, [])],
        *[("email", f"{'a' * 250}@x.org"), ("password", "x" * 1025), ("password", "short"), ("password", "")],
        *[("password", value) for value in (None, 12345678, ["long enough"], "\x00" * 8, "\ud800" * 8)],
        *[("tokenMode", value) for value in ("", "header", None, True)],
        *[("credits", 1000), ("role", "admin"), ("id", "x")],
    ],
)
def test_a_sign_up_is_refused_with(field: str, value: Any, client: FlaskClient) -> None:
    body = {"email": "ada@example.org", "password": "long enough", field: value}
    answer = client.post("/auth/sign-up", data=json.dumps(body), content_type="application/json")
    assert refusal(answer) == (422, "invalid_request")
    assert list(answer.json["errors"]) == [field]


@pytest.mark.parametrize("word", ["que\x00ue", "queue\x00", "\ud800queue", " queue"])
def test_a_word_is_exactly_one_of_those_in_the_document(word: str, me: FlaskClient, chat: ChatSession) -> None:
    def refused(path: str, body: dict[str, Any]) -> list[str]:
        answer = me.post(path, data=json.dumps(body), content_type="application/json")
        assert answer.status_code == 422
        return list(answer.json["errors"])

    role, path = word.replace("que", "us").replace("ue", "er"), POST.format(chat=chat.id)
    assert refused(path, {"content": "x", "whenBusy": word}) == ["whenBusy"]
    assert refused(path, {"content": "x", "role": role}) == ["role"]
    assert refused(f"/api/conversations/{chat.id}/messages", {"content": "x", "role": role}) == ["role"]
    assert refused("/chats", {"settings": {"whenBusy": word}}) == ["settings.whenBusy"]
    assert me.get("/export", query_string={"format": "js\x00on"}).status_code == 422


@pytest.mark.parametrize("content_type", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data", ""])
def test_another_content_type_is_refused(content_type: str, me: FlaskClient, chat: ChatSession) -> None:
    for path in (POST, "/chats", "/auth/sign-up", "/auth/refresh"):
        answer = me.post(path.format(chat=chat.id), data=b'{"content": "Hello"}', content_type=content_type)
        assert refusal(answer) == (415, "wrong_content_type"), path


def test_no_token_and_an_expired_one_are_refused(client: FlaskClient, chat: ChatSession, settings: Settings) -> None:
    expired = tokens.issue(settings.secret_key, tokens.ACCESS, chat.owner_id, -60)
    for authorization, code in (("", "unauthenticated"), (f"Bearer {expired}", "token_expired")):
        client.environ_base["HTTP_AUTHORIZATION"] = authorization
        for method, path in [("POST", POST), ("GET", POST), ("GET", "/chats"), ("POST", "/chats")]:
            assert refusal(send(client, path, chat, b'{"content": "Hello"}', method)) == (401, code)
