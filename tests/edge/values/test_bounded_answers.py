"""Answers are bounded: an error names ten fields, and a page has a mebibyte of text, whatever a client asks for."""

from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import insert, update

from shared.database.units import execute, write_unit
from shared.database.weights import MOST_BYTES, fitting
from shared.models import ChatSession
from shared.models.message import messages
from shared.models.user import users
from tests.factories import a_chat, a_claim, a_post, change, on_sqlite_only, signed_in, the_user
from tests.integration.http.mirror import Mirror
from tests.integration.http.test_sync_pages import row_of

EMOJI = "\U0001f600"


@pytest.fixture
def chat(core: Flask) -> ChatSession:
    return a_chat()


@pytest.fixture
def me(app: Flask, chat: ChatSession) -> FlaskClient:
    return signed_in(app, the_user(chat.owner_id))


def filled(chat: ChatSession, sizes: list[int]) -> list[str]:
    """Put messages of so many emoji into the chat, and return their ids."""
    numbers = range(the_user(chat.owner_id).seq + 1, 10_000)
    rows = [row_of(chat, at, at) | {"content": EMOJI * size} for at, size in zip(numbers, sizes, strict=False)]
    with write_unit():
        execute(insert(messages), rows)
        execute(update(users).where(users.c.id == chat.owner_id).values(seq=rows[-1]["seq"]))
    return [row["id"] for row in rows]


def pages_of(me: FlaskClient, chat: ChatSession, order: str) -> list[list[Any]]:
    """All pages of the chat, as a client reads them that asks for 200 messages each time."""
    pages, cursor = [], ""
    while cursor is not None:
        answer = me.get(f"/chats/{chat.id}/messages?limit=200&order={order}{cursor and f'&cursor={cursor}'}")
        assert len(answer.data) < MOST_BYTES * 1.1 or len(answer.json["items"]) == 1
        cursor = answer.json["nextCursor"]
        pages.append(answer.json["items"])
    return pages


@pytest.mark.parametrize("order", ["asc", "desc"])
def test_a_page_of_long_messages_is_shorter_and_goes_on(order: str, me: FlaskClient, chat: ChatSession) -> None:
    ids = filled(chat, [100_000, 100_000, 100_000, 1, 1, 400_000, 1, 100_000, 0])
    pages = pages_of(me, chat, order)
    assert [message["id"] for page in pages for message in page] == (ids if order == "asc" else ids[::-1])
    assert [len(page) for page in pages] == ([2, 3, 1, 3] if order == "asc" else [3, 1, 4, 1])


def test_the_database_sends_no_more_rows_than_the_page_has(
    me: FlaskClient, chat: ChatSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    from api.http import paging  # noqa: PLC0415

    filled(chat, [100_000] * 12)
    sent, query = [], paging.query
    monkeypatch.setattr(paging, "query", lambda *args, **named: sent.append(query(*args, **named)) or sent[-1])
    assert len(me.get(f"/chats/{chat.id}/messages?limit=200").json["items"]) == 2
    assert len(sent[-1]) == 3, "one more tells that there is a next page"


def test_catching_up_goes_on_in_bounded_pages(me: FlaskClient, chat: ChatSession) -> None:
    mirror = Mirror(me, the_user(chat.owner_id).seq)
    ids = filled(chat, [100_000] * 5 + [400_000, 1, 1])
    pages = mirror.catch_up(limit=200)
    assert [[message["id"] for message in page["messages"]] for page in pages] == [
        ids[0:2], ids[2:4], ids[4:5], ids[5:6], ids[6:8]
    ]  # fmt: skip
    assert [page["hasMore"] for page in pages] == [True] * 4 + [False]
    assert pages[-1]["cursor"] == the_user(chat.owner_id).seq


def test_rows_with_one_number_stay_on_one_page_however_long(me: FlaskClient, chat: ChatSession) -> None:
    cursor = the_user(chat.owner_id).seq
    ids = filled(chat, [1, 200_000, 200_000, 1])
    for same in ids[1:3]:
        change(same, seq=cursor + 2)
    pages = Mirror(me, cursor).catch_up(limit=200)
    assert [len(page["messages"]) for page in pages] == [1, 2, 1]


def test_a_running_reply_is_on_every_page(me: FlaskClient, chat: ChatSession) -> None:
    running = a_claim(a_post(chat)).id
    mirror = Mirror(me, the_user(chat.owner_id).seq)
    filled(chat, [200_000, 200_000])
    pages = mirror.catch_up(limit=200)
    assert len(pages) == 2
    assert all(running in [message["id"] for message in page["messages"]] for page in pages)


def test_at_least_one_fits() -> None:
    assert fitting([]) == fitting([MOST_BYTES + 1, 1]) == 1
    assert fitting([MOST_BYTES - 1, 1, 1]) == 2


@on_sqlite_only
def test_an_error_names_ten_fields_and_says_how_many_more(me: FlaskClient) -> None:
    answer = me.post("/chats", json={f"field {number}": 1 for number in range(300)})
    assert (answer.status_code, answer.json["code"]) == (422, "invalid_request")
    assert (len(answer.json["errors"]), answer.json["moreErrors"]) == (10, 290)
    assert "moreErrors" not in me.post("/chats", json={"one": 1}).json


@on_sqlite_only
def test_an_error_repeats_no_long_name_and_no_value(me: FlaskClient) -> None:
    answer = me.post("/chats", json={"n" * 3000 + str(number): "v" * 500 for number in range(3)} | {"title": "t" * 999})
    assert (answer.status_code, len(answer.data) < 1500) == (422, True)
    assert "vvv" not in answer.text
    assert "ttt" not in answer.text


@on_sqlite_only
@pytest.mark.parametrize(
    ("path", "fits"), [("/auth/sign-in", 28_000), ("/chats", 64_000), ("/chats/{chat}/messages", 1_200_000)]
)
def test_a_body_is_refused_by_its_size_alone(path: str, fits: int, me: FlaskClient, chat: ChatSession) -> None:
    class Body:
        def read(self, *_: Any) -> bytes:
            raise AssertionError("the size was known")

    announced = {"CONTENT_LENGTH": str(fits + 9000), "wsgi.input": Body()}
    answer = me.post(path.format(chat=chat.id), content_type="application/json", environ_overrides=announced)
    assert (answer.status_code, answer.json["code"]) == (413, "body_too_large")
    whole = b'{"x": ""}' + b" " * (fits - 9)
    assert me.post(path.format(chat=chat.id), data=whole, content_type="application/json").status_code in (400, 422)


@on_sqlite_only
def test_a_body_without_a_size_is_read_up_to_the_limit_only(me: FlaskClient) -> None:
    class Endless:
        taken = 0

        def read(self, size: int = -1) -> bytes:
            assert size >= 0
            self.taken += size
            return b"a" * size

        def readinto(self, buffer: bytearray) -> int:
            self.taken += len(buffer)
            return len(buffer)

    body = Endless()
    endless = {"CONTENT_LENGTH": "", "wsgi.input": body, "wsgi.input_terminated": True}
    answer = me.post("/chats", content_type="application/json", environ_overrides=endless)
    assert (answer.status_code, answer.json["code"]) == (413, "body_too_large")
    assert body.taken < 100_000
