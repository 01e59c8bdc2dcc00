"""A page of GET /sync never splits a number. Its cost depends on the changes, and not on the rows."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import insert, text

from shared.actions.owner_unit import owner_unit
from shared.actions.sync import changes_since
from shared.database.prepared import _Plan
from shared.database.tables import db, new_id
from shared.database.units import execute, write_unit
from shared.models import ChatSession, User
from shared.models.chat import chat_sessions
from shared.models.message import messages
from tests.factories import a_chat, a_post, a_user
from tests.integration.http.mirror import Mirror


def test_pages_are_as_long_as_asked_for_and_never_split_a_number(me: FlaskClient, user: User) -> None:
    chats = [a_chat(user) for _ in range(3)]
    for chat in chats:
        a_post(chat)
    with owner_unit(user.id, events=1) as unit:  # seven messages with one number, as in a copy of a chat
        rows = [row_of(chats[0], position, unit.account.seq) for position in range(10, 17)]
        execute(insert(messages), rows)
    for _ in range(2):
        a_post(chats[1])
    pages = Mirror(me).catch_up(limit=2)
    sizes = [len(page["messages"]) + len(page["chats"]) for page in pages]
    numbers = [{row["seq"] for row in page["messages"] + page["chats"]} for page in pages]
    assert [len(found) for found in numbers] == [2, 2, 2, 2, 2, 1], "a placeholder shares its chat's number"
    assert sum(sizes) == 6 + 3 + 7 + 4
    assert all(left.isdisjoint(right) for left in numbers for right in numbers if left is not right)
    assert [page["hasMore"] for page in pages] == [True] * (len(pages) - 1) + [False]


def row_of(chat: ChatSession, position: int, seq: int) -> dict[str, Any]:
    given = {"position": position, "seq": seq, "content": "Copied", "message_type": "user", "status": "completed"}
    return {"id": new_id(), "chat_session_id": chat.id, "owner_id": chat.owner_id, "version": 1, "shown": True} | given


def test_its_cost_depends_on_what_changed(user: User, chat: ChatSession, monkeypatch: pytest.MonkeyPatch) -> None:
    others = a_user()
    with write_unit() as unit:
        execute(insert(messages), [row_of(chat, position, position) for position in range(3000)])
        many = [{"owner_id": others.id, "seq": seq, "seen_seq": seq} for seq in range(1000)]
        execute(insert(chat_sessions), many)
        unit.execute(text("UPDATE users SET seq = 3000"))
    with write_unit() as unit:
        unit.execute(text("ANALYZE"))
    db.engine.dispose()  # SQLite reads the counts once per connection
    plans = plans_of(monkeypatch, lambda: changes_since(user.id, 2990, 50))
    assert len(plans) == 5
    for steps in plans:
        assert not re.search(r"Seq Scan on (messages|chat_sessions)", steps), steps
        assert not re.search(r"SCAN (messages|chat_sessions)(?! USING)", steps), steps
    assert sum(bool(re.search(r"owner_id ?= ?.* AND \(?seq ?>", steps)) for steps in plans) == 3


def plans_of(monkeypatch: pytest.MonkeyPatch, act: Callable[[], Any]) -> list[str]:
    """The database's plan of each statement."""
    seen: list[tuple[str, Any]] = []
    bind = _Plan.bind

    def noted(self: _Plan, values: Any) -> Any:
        seen.append((self.sql, bind(self, values)))
        return seen[-1][1]

    monkeypatch.setattr(_Plan, "bind", noted)
    act()
    return [plan(*statement) for statement in seen]


def plan(sql: str, values: Any) -> str:
    explain = {"sqlite": "EXPLAIN QUERY PLAN ", "postgresql": "EXPLAIN "}[db.engine.dialect.name]
    with db.engine.connect() as connection:
        cursor = connection.connection.cursor()
        return "\n".join(str(row[-1]) for row in cursor.execute(explain + sql, values).fetchall())
