"""A malformed query, address or method gets a 4xx with a stable code, at once. The server stores nothing."""

import logging
from datetime import UTC, datetime
from uuid import UUID

import pytest
from flask.testing import FlaskClient

from shared.models import ChatSession, User
from shared.wire.cursors import encode_cursor
from tests.factories import on_sqlite_only
from tests.integration.http.refusals import POST, refusal

# The server refuses all of it before it reads a row, so one kind of database is enough.
pytestmark = [on_sqlite_only, pytest.mark.usefixtures("is_refused_without_a_trace")]


BAD_CURSORS: dict[str, str] = {
    "garbage": "garbage",
    "no base64": "%C3%A9%00!",
    "empty": "",
    "of too much": "A" * 36,
    "of too little": "A" * 4,
    "of another alphabet": "A" * 7 + ".",
    "deep": "W1tb" * 60,
    "long": "x" * 257,
}


@pytest.mark.parametrize("what", BAD_CURSORS)
@pytest.mark.parametrize("path", [POST, "/chats"])
def test_a_cursor_is_refused_that_is(what: str, path: str, me: FlaskClient, chat: ChatSession) -> None:
    answer = me.get(f"{path.format(chat=chat.id)}?cursor={BAD_CURSORS[what]}")
    assert refusal(answer) == (422, "invalid_request")
    assert list(answer.json["errors"]) == ["cursor"]


def test_a_cursor_of_another_list_is_refused(me: FlaskClient, user: User, chat: ChatSession) -> None:
    of_messages = encode_cursor([3], [int])
    assert refusal(me.get(f"/chats?cursor={of_messages}")) == (422, "invalid_request")
    of_chats = encode_cursor([datetime.now(UTC), chat.id], [datetime, UUID])
    assert refusal(me.get(f"/chats/{chat.id}/messages?cursor={of_chats}")) == (422, "invalid_request")


@pytest.mark.parametrize("limit", ["0", "-1", "201", "1.5", "x", "", "1e2", "9" * 5000, "%00", "NaN"])
def test_a_limit_is_refused_that_is(limit: str, me: FlaskClient, chat: ChatSession) -> None:
    for path in (POST, "/chats"):
        answer = me.get(f"{path.format(chat=chat.id)}?limit={limit}")
        assert refusal(answer) == (422, "invalid_request")
        assert list(answer.json["errors"]) == ["limit"]


@pytest.mark.parametrize("query", ["sort=title", "sort=", "sort=owner_id;--"])
def test_an_unknown_sort_is_refused(query: str, me: FlaskClient) -> None:
    assert refusal(me.get(f"/chats?{query}")) == (422, "invalid_request")


@pytest.mark.parametrize(
    "query", ["archived=1", "archived=", "archived=all", "teamId=x", "repoId=", "text=" + "x" * 801]
)
def test_a_filter_is_refused_that_is(query: str, me: FlaskClient) -> None:
    answer = me.get(f"/chats?{query}")
    assert refusal(answer) == (422, "invalid_request")
    assert list(answer.json["errors"]) == [query.partition("=")[0]]


def test_an_unknown_order_is_refused(me: FlaskClient, chat: ChatSession) -> None:
    assert refusal(me.get(f"/chats/{chat.id}/messages?order=random")) == (422, "invalid_request")


def test_an_unknown_address_or_method_is_a_problem_too(me: FlaskClient) -> None:
    assert refusal(me.get("/nowhere")) == (404, "not_found")
    answer = me.put("/chats", json={})
    assert refusal(answer) == (405, "method_not_allowed")
    assert answer.headers["Allow"] == "GET, HEAD, OPTIONS, POST"
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
    [
        ("[::1]:8000", "http://[::1]:8001"),
        ("chat.example:80", "http://chat.example:8001"),
    ],
)
def test_the_sockets_are_found_on_the_host_that_was_asked(me: FlaskClient, host: str, address: str) -> None:
    assert me.get("/config", headers={"Host": host}).json["realtimeUrl"] == address
