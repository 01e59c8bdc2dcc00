"""Malformed input gets a 4xx with a stable code, at once. The server stores nothing and charges nothing."""

import json
import logging
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from api.access import tokens
from api.http.paging import encode_cursor
from shared.models import ChatSession, User
from shared.settings import Settings
from tests.channel import Channel
from tests.eventually import at_most
from tests.factories import nothing_changes, on_sqlite_only

# The server refuses all of it before it reads a row, so one kind of database is enough.
pytestmark = on_sqlite_only

POST = "/chats/{chat}/messages"
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
    "100,000 deep": (b"[" * 100_000, 400, "malformed_body"),
    "100,000 deep in a field": (b'{"content":' * 100_000 + b"1" + b"}" * 100_000, 400, "malformed_body"),
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


@pytest.fixture(autouse=True)
def is_refused_without_a_trace(
    core: Flask, chat: ChatSession, channel: Channel, caplog: pytest.LogCaptureFixture
) -> Any:
    """Around each test here: the same rows, no events, no error in the log, and at most two seconds."""
    channel.forget()
    with nothing_changes(), at_most(2):
        yield
    assert channel.heard() == []
    assert [record for record in caplog.get_records("call") if record.levelno >= logging.ERROR] == []


def refusal(answer: Any) -> tuple[int, str]:
    """The status and code of an answer that is a whole problem document."""
    assert answer.mimetype == "application/problem+json"
    problem = answer.json
    assert problem.keys() >= {"type", "title", "status", "detail", "code", "retryable"}
    assert problem["status"] == answer.status_code
    assert len(answer.data) < 2000
    return answer.status_code, problem["code"]


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
    for method, path, field in [("POST", POST, "content"), ("PATCH", "/chats/{chat}", "title")]:
        for body in (b"{}", b""):
            answer = send(me, path, chat, body, method)
            assert refusal(answer) == (422, "invalid_request")
            assert list(answer.json["errors"]) == [field]


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


BAD_CURSORS: dict[str, str] = {
    "garbage": "garbage",
    "no base64": "%C3%A9%00!",
    "of nothing": encode_cursor(),
    "of too much": encode_cursor(1, 2, 3),
    "of other types": encode_cursor("x", 1),
    "of a moment and no id": encode_cursor("2026-01-01T00:00:00Z", "no id"),
    "of a moment and NUL": encode_cursor("2026-01-01T00:00:00Z", "\x00"),
    "of a huge number": encode_cursor(10**30),
    "of a number beyond 32 bits": encode_cursor(2**40),
    "of a text": encode_cursor("1"),
    "deep": "W1tb" * 30_000,
}


@pytest.mark.parametrize("what", BAD_CURSORS)
@pytest.mark.parametrize("path", [POST, "/chats"])
def test_a_cursor_is_refused_that_is(what: str, path: str, me: FlaskClient, chat: ChatSession) -> None:
    answer = me.get(f"{path.format(chat=chat.id)}?cursor={BAD_CURSORS[what]}")
    assert refusal(answer) == (422, "invalid_request")
    assert list(answer.json["errors"]) == ["cursor"]


def test_a_cursor_of_another_list_is_refused(me: FlaskClient, user: User, chat: ChatSession) -> None:
    of_messages = encode_cursor(3)
    assert refusal(me.get(f"/chats?cursor={of_messages}")) == (422, "invalid_request")


@pytest.mark.parametrize("limit", ["0", "-1", "201", "1.5", "x", "", "1e2", "9" * 5000, "%00", "NaN"])
def test_a_limit_is_refused_that_is(limit: str, me: FlaskClient, chat: ChatSession) -> None:
    for path in (POST, "/chats"):
        answer = me.get(f"{path.format(chat=chat.id)}?limit={limit}")
        assert refusal(answer) == (422, "invalid_request")
        assert list(answer.json["errors"]) == ["limit"]


@pytest.mark.parametrize("query", ["sort=title", "sort=", "sort=owner_id;--"])
def test_an_unknown_sort_is_refused(query: str, me: FlaskClient) -> None:
    assert refusal(me.get(f"/chats?{query}")) == (422, "invalid_request")


def test_an_unknown_order_is_refused(me: FlaskClient, chat: ChatSession) -> None:
    assert refusal(me.get(f"/chats/{chat.id}/messages?order=random")) == (422, "invalid_request")


def test_an_unknown_address_or_method_is_a_problem_too(me: FlaskClient) -> None:
    assert refusal(me.get("/nowhere")) == (404, "not_found")
    assert refusal(me.put("/chats", json={})) == (405, "method_not_allowed")
    assert refusal(me.get("/auth/sign-in")) == (405, "method_not_allowed")


def test_an_unknown_parameter_is_refused(me: FlaskClient) -> None:
    answer = me.get("/chats?curser=x")
    assert (answer.status_code, answer.json["code"], list(answer.json["errors"])) == (
        422,
        "invalid_request",
        ["curser"],
    )


def test_a_range_that_a_file_does_not_have_is_refused(me: FlaskClient, caplog: pytest.LogCaptureFixture) -> None:
    answer = me.get("/client/state/store.js", headers={"Range": "bytes=99999999-"})
    assert (answer.status_code, answer.json["code"]) == (422, "invalid_request")
    assert [record for record in caplog.records if record.levelno >= logging.ERROR] == []


@pytest.mark.parametrize(
    ("host", "address"),
    [("[::1]:8000", "http://[::1]:8001"), ("chat.example:80", "http://chat.example:8001")],
)
def test_the_sockets_are_found_on_the_host_that_was_asked(me: FlaskClient, host: str, address: str) -> None:
    assert me.get("/config", headers={"Host": host}).json["realtimeUrl"] == address
