"""Lists of chats by every filter: each chat once, whatever is written meanwhile."""

import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import insert, update

from api.http import paging
from shared.actions.chats.change import change_chat, touch_chat
from shared.actions.chats.delete import delete_chat
from shared.database.tables import new_id
from shared.database.units import execute, write_unit
from shared.models import User
from shared.models.chat import chat_sessions, new_display_id
from tests.factories import a_chat, a_post, the_chat

TITLES = ["Straße nach Paris", "PARIS im Mai", "Rome", "paris", "100 %_ Paris\\", "Nothing"]


def pages(me: FlaskClient, query: str) -> Iterator[list[Any]]:
    cursor: Any = ""
    while cursor is not None:
        page = me.get(f"/chats?{query}" + (f"&cursor={cursor}" if cursor else "")).json
        yield page["items"]
        cursor = page["nextCursor"]


def ids(me: FlaskClient, query: str) -> list[str]:
    return [chat["id"] for page in pages(me, query) for chat in page]


def many(user: User, number: int, **columns: Any) -> list[str]:
    """Chats with the same moments for three at a time."""
    now = datetime.now(UTC)
    rows = []
    for n in range(number):
        moment = now - timedelta(seconds=n // 3)
        times = dict.fromkeys(("created_at", "updated_at", "last_active_at"), moment)
        fixed = {"owner_id": user.id, "settings": {}, "title_source": "user"}
        rows.append({"id": new_id(), "display_id": new_display_id(), "title": f"{n}"} | fixed | times | columns)
    with write_unit():
        execute(insert(chat_sessions), rows)
    return [row["id"] for row in rows]


@pytest.mark.parametrize("sort", ["lastActiveAt", "updatedAt", "createdAt"])
def test_every_filter_pages_through_its_own_chats_once(sort: str, me: FlaskClient, user: User) -> None:
    team, now = new_id(), datetime.now(UTC)
    groups = {
        "archived=false": many(user, 7),
        "archived=true": many(user, 5, archived_at=now),
        f"teamId={team}": many(user, 5, team_id=team),
        f"teamId={team}&archived=true": many(user, 4, team_id=team, archived_at=now),
        f"repoId={team}": many(user, 2, repo_id=team),
        f"documentId={team}&text=7": many(user, 1, document_id=team, title="of 17"),
    }
    many(user, 3, deleted_at=now, team_id=team)
    a_chat()
    for query, own in groups.items():
        found = ids(me, f"{query}&sort={sort}&limit=2")
        inside = {one for other, some in groups.items() for one in some if _holds(query, other)}
        assert len(found) == len(set(found))
        assert set(found) == inside >= set(own), query
    assert ids(me, f"teamId={new_id()}") == []


def _holds(query: str, other: str) -> bool:
    """Whether the list of `query` has the chats of the list `other`."""
    archived = "archived=true"
    parts = set(query.split("&")) - {archived, "archived=false"}
    return parts <= set(other.split("&")) and (archived in query) == (archived in other)


def test_a_text_finds_titles_that_have_it_in_any_case(me: FlaskClient, user: User) -> None:
    for title in TITLES:
        change_chat(user.id, a_chat(user).id, title)
    found = {text: _titles(me, text) for text in ("paris", "STRASSE", "%25_", "%5C", "  rome ", "e", "zzz", "", "%20")}
    assert found == {
        "paris": [TITLES[n] for n in (4, 3, 1, 0)],
        "STRASSE": [TITLES[0]],
        "%25_": [TITLES[4]],
        "%5C": [TITLES[4]],
        "  rome ": ["Rome"],
        "e": [TITLES[2], TITLES[0]],
        "zzz": [],
        "": TITLES[::-1],
        "%20": TITLES[::-1],
    }


def _titles(me: FlaskClient, text: str) -> list[str]:
    return [chat["title"] for page in pages(me, f"text={text}&limit=2&sort=createdAt") for chat in page]


def test_a_page_of_a_search_looks_at_so_many_chats_and_goes_on_from_there(
    me: FlaskClient, user: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(paging, "_MOST_SEARCHED", 4)
    many(user, 30)
    found = list(pages(me, "text=5&limit=2"))
    assert [chat["title"] for page in found for chat in page] == ["5", "15", "25"]
    assert len(found) == 8


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("query", ["", "&text=1"])
def test_sorted_by_creation_nothing_is_lost_or_doubled_while_chats_are_written(
    query: str, seed: int, me: FlaskClient, user: User
) -> None:
    """All that happens between two pages may change any chat, and makes and deletes others."""
    chance = random.Random(seed)
    kept, doomed = many(user, 12, title="a 1"), many(user, 6, title="b 1")
    newer: list[str] = []
    found: list[str] = []
    for page in pages(me, f"sort=createdAt&limit={chance.randint(1, 5)}{query}"):
        found += [chat["id"] for chat in page]
        for _ in range(chance.randint(0, 4)):
            some = chance.choice(kept)
            changes = [
                lambda some=some: touch_chat(user.id, some),
                lambda some=some: change_chat(user.id, some, f"1 {chance.random()}"),
                lambda some=some: change_chat(user.id, some, settings={"instructions": "x"}),
                lambda some=some: a_post(the_chat(some)),  # type: ignore[arg-type]
                lambda: newer.append(a_chat(user).id),
                lambda: delete_chat(user.id, doomed.pop()) if doomed else None,
            ]
            chance.choice(changes)()
    assert len(found) == len(set(found)), seed
    assert set(kept) <= set(found), seed
    assert not set(newer) & set(found), seed


def test_a_chat_archived_meanwhile_leaves_the_list_and_shifts_no_other(me: FlaskClient, user: User) -> None:
    chats = many(user, 6)
    order = ids(me, "sort=createdAt")
    first = me.get("/chats?sort=createdAt&limit=2").json
    with write_unit():
        gone = update(chat_sessions).where(chat_sessions.c.id.in_([order[0], order[3]]))
        execute(gone.values(archived_at=datetime.now(UTC)))
    rest = ids(me, f"sort=createdAt&cursor={first['nextCursor']}&limit=50")
    assert [chat["id"] for chat in first["items"]] + rest == [one for one in order if one != order[3]]
    assert len(chats) == 6
