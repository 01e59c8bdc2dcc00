"""Tombstones go after 90 days. A client that has been away for longer is told to start anew."""

import threading
from datetime import timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select, update

from shared.actions.chats.delete import delete_chat
from shared.actions.credits.reconcile import reconcile
from shared.actions.upkeep import forget_tombstones as module
from shared.actions.upkeep.forget_tombstones import forget_tombstones
from shared.database.clock import utc_now
from shared.database.tables import db
from shared.database.units import execute, query, write_unit
from shared.models import ChatSession, User
from shared.models.chat import chat_sessions
from shared.models.message import messages
from tests.eventually import eventually, joined
from tests.factories import a_chat, a_post, nothing_changes, the_user
from workers.sweeper import clean, run


@pytest.fixture(autouse=True)
def money_adds_up() -> None:
    """No check here: the ledger outlives the replies that it names."""


@pytest.fixture
def doomed(user: User) -> ChatSession:
    chat = a_chat(user)
    for _ in range(3):
        a_post(chat)
    a_post(a_chat(user))
    delete_chat(user.id, chat.id)
    return chat


def age(days: float) -> None:
    """Date every deletion back by this many days."""
    with write_unit():
        for table in (chat_sessions, messages):
            gone = table.c.deleted_at.is_not(None)
            execute(update(table).where(gone).values(deleted_at=utc_now() - timedelta(days=days)))


def count(chat: ChatSession) -> tuple[int, int]:
    in_chat = select(func.count()).select_from(messages).where(messages.c.chat_session_id == chat.id)
    chats = select(func.count()).select_from(chat_sessions).where(chat_sessions.c.id == chat.id)
    return query(in_chat).scalar(), query(chats).scalar()  # type: ignore[return-value]


def test_a_sweep_forgets_old_tombstones_and_nothing_else(me: FlaskClient, user: User, doomed: ChatSession) -> None:
    seq = the_user(user.id).seq
    before = me.get(f"/sync?after={seq - 2}").json
    age(days=91)
    assert clean()
    assert not clean()
    assert count(doomed) == (0, 0)
    assert len(me.get("/chats").json["items"]) == 1
    assert me.get(f"/sync?after={seq - 3}").json == {"reset": True, "cursor": seq}
    after = me.get(f"/sync?after={seq - 1}").json
    assert (after["chats"], after["cursor"]) == ([], seq)
    assert list(reconcile()) == [], "the ledger outlives what it names"
    assert before["chats"] == [{"id": doomed.id, "seq": seq - 1, "deleted": True}]


def test_younger_ones_stay(doomed: ChatSession) -> None:
    age(days=89)
    with nothing_changes():
        assert forget_tombstones() == 0


def test_it_goes_in_bounded_batches_and_a_chat_goes_last(doomed: ChatSession, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "BATCH", 4)
    age(days=91)
    found = [(forget_tombstones(), count(doomed)) for _ in range(3)]
    assert found == [(4, (2, 1)), (3, (0, 0)), (0, (0, 0))]


def test_it_looks_at_tombstones_only(doomed: ChatSession, monkeypatch: pytest.MonkeyPatch) -> None:
    explain = {"sqlite": "EXPLAIN QUERY PLAN ", "postgresql": "EXPLAIN "}[db.engine.dialect.name]
    for old in (module.old_messages(utc_now()), module.old_chats(utc_now())):
        sql = str(old.compile(db.engine, compile_kwargs={"literal_binds": True}))
        with db.engine.connect() as connection:
            if db.engine.dialect.name == "postgresql":
                for way in ("seqscan", "sort"):  # or else PostgreSQL scans or sorts the small table
                    connection.exec_driver_sql(f"SET LOCAL enable_{way} = off")
            steps = "\n".join(str(row[-1]) for row in connection.exec_driver_sql(explain + sql))
        assert "_deleted" in steps, steps


def test_the_sweeper_goes_on_with_it_as_long_as_it_finds_any(
    core: Flask, doomed: ChatSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "BATCH", 1)
    age(days=91)
    stopping = threading.Event()
    sweeper = threading.Thread(target=run, args=[core, 0.01, stopping])
    sweeper.start()
    try:
        eventually(lambda: count(doomed) == (0, 0))
    finally:
        stopping.set()
        joined(sweeper)
