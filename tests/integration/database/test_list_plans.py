"""Lists of chats find a page by an index, in its order, whatever filter and however many chats there are."""

from itertools import product

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import insert

from shared.actions.chats.read_out import own_chats
from shared.database.clock import utc_now
from shared.database.tables import new_id
from shared.database.units import execute, write_unit
from shared.models import User
from shared.models.chat import chat_sessions, new_display_id
from tests.factories import a_user
from tests.integration.database.test_query_plans import learn, plans_of

MANY = 3_000
TEAM = new_id()
SORTS = {"lastActiveAt": "active", "updatedAt": "updated", "createdAt": "created"}


@pytest.fixture
def many(user: User) -> None:
    """Thousands of chats of a user: most archived, some of a team. Another user has as many."""
    rows = []
    for n in range(MANY):
        owner = user if n % 2 else None
        rows.append(
            {"id": new_id(), "display_id": new_display_id(), "owner_id": owner and user.id, "settings": {}}
            | {"archived_at": utc_now() if n % 4 != 1 else None, "team_id": TEAM if n % 50 == 1 else None}
        )
    other = a_user().id
    with write_unit():
        execute(insert(chat_sessions), [row | {"owner_id": row["owner_id"] or other} for row in rows])
    learn()


def steps(app: Flask, me: FlaskClient, path: str) -> list[str]:
    """The plans of a request, line by line."""
    with app.app_context():
        plans = plans_of(lambda: me.get(path), "chat_sessions")
    return [step for plan in plans.values() for step in plan]


def reads_in_order(plan: list[str], index: str) -> bool:
    """Whether the plan reads this index of chats, and neither sorts nor reads all of a table."""
    whole = any("Seq Scan on chat_sessions" in step or "Sort" in step or "TEMP B-TREE" in step for step in plan)
    return any(f"ix_chat_sessions_{index}" in step for step in plan) and not whole


def test_a_page_is_read_from_the_index_of_its_kind_and_order(app: Flask, me: FlaskClient, many: None) -> None:
    for sort, (archived, kind) in product(SORTS, [("true", "archived"), ("false", "listed")]):
        query = f"/chats?sort={sort}&archived={archived}&limit=5"
        cursor = me.get(query).json["nextCursor"]
        for page in (query, f"{query}&cursor={cursor}"):
            plan = steps(app, me, page)
            assert reads_in_order(plan, f"{kind}_{SORTS[sort]}"), plan


def test_the_chats_of_a_team_are_found_by_its_index(app: Flask, me: FlaskClient, many: None) -> None:
    plan = steps(app, me, f"/chats?teamId={TEAM}&archived=true&limit=5")
    assert reads_in_order(plan, "team_id"), plan


def test_an_index_of_a_list_has_the_columns_of_its_filters() -> None:
    """No plan tells that a database passes over other rows within the index. So this looks at the index itself."""
    columns = {
        str(index.name).removeprefix("ix_chat_sessions_"): index.columns.keys() for index in chat_sessions.indexes
    }
    for kind, sort in product(("listed", "archived"), SORTS.values()):
        assert columns[f"{kind}_{sort}"][-3:] == ["team_id", "repo_id", "document_id"]
    for filtered in ("team_id", "repo_id", "document_id"):
        assert columns[filtered][-1] == "archived_at"


def test_a_search_looks_at_chats_in_their_order(app: Flask, me: FlaskClient, many: None) -> None:
    plan = steps(app, me, "/chats?text=nowhere&sort=createdAt")
    assert any("ix_chat_sessions_listed_created" in step for step in plan), plan
    assert not any("Seq Scan on chat_sessions" in step or step.startswith("SCAN") for step in plan), plan


def test_an_export_reads_pages_of_both_kinds(user: User, many: None) -> None:
    plans = plans_of(lambda: next(own_chats(user.id)), "chat_sessions")
    plan = [step for some in plans.values() for step in some]
    assert any("ix_chat_sessions_listed_created" in step for step in plan), plan
    assert any("ix_chat_sessions_archived_created" in step for step in plan), plan
