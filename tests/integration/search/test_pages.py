"""Pages of what was found: none is lost or doubled, whatever is written meanwhile, and every page costs the same."""

from typing import Any

import pytest
from flask.testing import FlaskClient

from shared.actions.chats.change import change_chat
from shared.actions.messages.delete import delete_message
from shared.actions.search import find, matches
from shared.models import ChatSession, User
from shared.wire.cursors import encode_cursor
from shared.wire.search import PLACE
from tests.factories import a_chat
from tests.integration.search.conftest import Search
from tests.integration.search.test_words import say


@pytest.fixture
def small_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(matches, "BLOCK", 5)
    monkeypatch.setattr(find, "BLOCK", 5)
    monkeypatch.setattr(matches, "NEAR", 4)


def write(user: User, chat: ChatSession, count: int) -> list[str]:
    for n in range(count // 3):
        change_chat(user.id, a_chat(user).id, f"needle {n}")
    return [say(chat, "needle " * (1 + n * 7 % 5)) for n in range(count)]


@pytest.mark.usefixtures("small_blocks")
@pytest.mark.parametrize("limit", [1, 4, 5, 50])
def test_every_match_is_on_exactly_one_page(limit: int, user: User, chat: ChatSession, search: Search) -> None:
    written = write(user, chat, 18)
    found = [item["messageId"] for item in search("needle", limit=limit)]
    assert found[:6] == [None] * 6
    assert sorted(found[6:]) == sorted(written)


@pytest.mark.usefixtures("small_blocks")
def test_what_is_written_or_deleted_between_two_pages_moves_nothing_else(
    user: User, chat: ChatSession, me: FlaskClient
) -> None:
    written, found, cursor = write(user, chat, 15), list[Any](), None
    for turn in range(1_000):
        answer = me.get(
            "/search", query_string={"q": "needle", "limit": 3} | ({"cursor": cursor} if cursor else {})
        ).json
        found += [item["messageId"] or item["chatSessionId"] for item in answer["items"]]
        cursor = answer["nextCursor"]
        if cursor is None:
            break
        say(chat, "needle needle needle needle")
        if turn == 2:
            gone = next(one for one in written if one not in found)
            delete_message(user.id, chat.id, gone)
    assert len(found) == len(set(found))
    assert set(written) - {gone} <= set(found)


def test_the_last_page_has_no_cursor(chat: ChatSession, me: FlaskClient) -> None:
    for _ in range(4):
        say(chat, "needle")
    first = me.get("/search?q=needle&limit=2").json
    last = me.get("/search", query_string={"q": "needle", "limit": 2, "cursor": first["nextCursor"]}).json
    assert (len(last["items"]), last["nextCursor"]) == (2, None)


@pytest.mark.parametrize("cursor", ["A" * 8, "A" * 32, "A" * 27 + "="])
def test_a_cursor_of_another_list_is_refused(cursor: str, me: FlaskClient) -> None:
    answer = me.get("/search", query_string={"q": "needle", "cursor": cursor})
    assert (answer.status_code, list(answer.json["errors"])) == (422, ["cursor"])


WITHOUT_SENSE = [
    (0, 9, 3, 1, 1),
    (1, 2**31 - 1, 0, 0, 0),
    (0, 0, 0, 0, 0),
    (-1, -1, -1, -1, -1),
    (7, 0, -(2**31), 5, 5),
]


@pytest.mark.parametrize("values", WITHOUT_SENSE, ids=str)
def test_a_cursor_without_sense_is_some_place(values: tuple[int, ...], chat: ChatSession, me: FlaskClient) -> None:
    say(chat, "needle")
    answer = me.get("/search", query_string={"q": "needle", "cursor": encode_cursor(values, PLACE)})
    assert answer.status_code == 200
