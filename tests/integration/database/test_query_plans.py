"""The sweeper and a reply's own units find open replies by their indexes. They never read all messages."""

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import Table, event, insert, text

from benchmarks.lab.backlog import add_finished, add_waiting
from shared.actions.messages.again import AgainRequest, ask_again
from shared.actions.messages.delete import delete_message
from shared.actions.messages.edit import EditRequest, edit_message
from shared.actions.messages.show import show_version
from shared.actions.replies.finish import Answer, complete_reply
from shared.actions.replies.rescue import _owners_in_wait
from shared.database.clock import utc_now
from shared.database.prepared import _Plan
from shared.database.tables import db, new_id
from shared.database.units import execute, write_unit
from shared.models import ChatSession, User
from shared.models.idempotency import idempotency_keys
from shared.models.sign_in import sign_ins
from tests.factories import a_claim, a_post
from tests.integration.messages.versions.conversation import answered, ended, long_chat
from workers.sweeper import clean, sweep

WAITING, FINISHED = 400, 20_000
OPEN_ONLY = "ix_messages_open", "ix_messages_waiting"
DELETED_ONLY = "ix_messages_deleted", "ix_chat_sessions_deleted"
OF_ALL = "ix_messages_owner_seq", "ix_messages_chat_position"


@pytest.fixture
def core_with_a_past(core: Flask) -> Flask:
    with write_unit() as unit:
        add_waiting(unit, WAITING)
        add_finished(unit, FINISHED, WAITING)
    return core


def learn() -> None:
    """Have the database count its rows, so that its plans use the numbers."""
    with write_unit():
        execute(text("ANALYZE"))
    db.engine.dispose()  # SQLite reads the counts once per connection


@pytest.fixture(autouse=True)
def money_adds_up() -> None:
    """No check here: the rows that fill the tables have no ledger entries."""


def plans_of(work: Callable[[], Any], table: str = "messages") -> dict[str, list[str]]:
    """The plan of each statement that looks for messages, or for the rows of another table."""
    seen: dict[str, Any] = {}

    def note(_connection: Any, _cursor: Any, statement: str, values: Any, *_: Any) -> None:
        if table in statement and not statement.startswith("INSERT"):
            seen[statement] = values

    bind = _Plan.bind

    def bind_and_note(plan: _Plan, values: Any) -> Any:
        bound = bind(plan, values)
        note(None, None, plan.sql, bound)
        return bound

    event.listen(db.engine, "before_cursor_execute", note)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(_Plan, "bind", bind_and_note)
        work()
    event.remove(db.engine, "before_cursor_execute", note)
    explain = {"sqlite": "EXPLAIN QUERY PLAN ", "postgresql": "EXPLAIN "}[db.engine.dialect.name]
    with db.engine.connect() as connection:
        cursor = connection.connection.cursor()
        return {
            statement: [str(row[-1]) for row in cursor.execute(explain + statement, values).fetchall()]
            for statement, values in seen.items()
        }


def looks_at_everything(step: str) -> bool:
    """Tells whether a line of a plan reads all messages, or an index that holds all of them."""
    if "Seq Scan on messages" in step or re.search(r"\bSCAN messages\b(?! USING (COVERING )?INDEX)", step):
        return True
    whole = re.search(r"SCAN messages USING (?:COVERING )?INDEX (\w+)", step)
    return bool(whole and whole[1] not in OPEN_ONLY)


@pytest.mark.parametrize("prepare", [learn, lambda: None], ids=["counted", "uncounted"])
def test_a_sweep_reads_no_message_that_is_done(prepare: Callable[[], None], core_with_a_past: Flask) -> None:
    prepare()
    plans = plans_of(sweep) | plans_of(clean)
    assert len(plans) == 10
    for statement, plan in plans.items():
        if statement.startswith(("SELECT messages", "WITH")):  # the other statements find their rows by id
            assert any(name in step for step in plan for name in OPEN_ONLY + DELETED_ONLY), (statement, plan)
        assert not any(map(looks_at_everything, plan)), (statement, plan)


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)  # SQLite does not count what a plan has read
def test_the_turn_rule_sorts_no_reply_of_a_user_without_a_free_turn(core_with_a_past: Flask) -> None:
    learn()
    options = {"literal_binds": True}
    statement = _owners_in_wait.params(most=2).compile(db.engine, compile_kwargs=options)
    with write_unit() as unit:
        plan = [row[0] for row in unit.exec_driver_sql(f"EXPLAIN ANALYZE {statement}")]
    sorted_by_the_rule = [step for step in plan if "WindowAgg" in step]
    assert sorted_by_the_rule
    assert all("rows=0" in step.partition("actual")[2] or "never executed" in step for step in sorted_by_the_rule), plan


@pytest.mark.parametrize("table", [idempotency_keys, sign_ins], ids=str)
def test_what_is_too_old_is_found_by_its_time(table: Table, core: Flask, user: User) -> None:
    row = {"user_id": user.id, "fingerprint": "", "message_id": new_id(), "reply_id": new_id()}
    row |= {"created_at": utc_now(), "expires_at": utc_now() + timedelta(days=30)}
    with write_unit():
        rows = [{"id": new_id(), "key": str(n)} | row for n in range(3_000)]
        execute(insert(table), [{name: given[name] for name in given.keys() & table.c.keys()} for given in rows])
    learn()
    ((statement, plan),) = plans_of(clean, table.name).items()
    assert any(f"ix_{table.name}_" in step for step in plan), (statement, plan)
    assert not any("Seq Scan" in step or "SCAN" in step for step in plan), (statement, plan)


def test_a_reply_in_a_long_chat_of_somebody_with_a_long_past_costs_no_more(
    core_with_a_past: Flask, chat: ChatSession
) -> None:
    with write_unit():
        takes_over = text("UPDATE messages SET owner_id = :me, chat_session_id = :chat WHERE status = 'completed'")
        execute(takes_over, {"me": key(chat.owner_id), "chat": key(chat.id)})
    learn()

    def live() -> None:
        complete_reply(a_claim(a_post(chat)), Answer("All of it"))
        a_post(chat)
        a_post(chat)

    plans = plans_of(live)
    assert len(plans) > 3
    for statement, plan in plans.items():
        assert not any(map(looks_at_everything, plan)), (statement, plan)
        assert not any(name in step for step in plan for name in OF_ALL), (statement, plan)


def test_versions_in_a_long_chat_are_found_by_their_indexes(chat: ChatSession) -> None:
    long_chat(chat, FINISHED)
    posted = answered(chat)
    learn()

    def live() -> None:
        asked = AgainRequest("regenerate", chat.id, posted.message.id)
        ended(ask_again(chat.owner_id, asked))
        show_version(chat.owner_id, chat.id, posted.reply.id)
        ended(edit_message(chat.owner_id, EditRequest(chat.id, posted.message.id, "Another")))
        show_version(chat.owner_id, chat.id, posted.message.id)
        delete_message(chat.owner_id, chat.id, posted.reply.id)

    plans = plans_of(live)
    assert any("ix_messages_version_of" in step for plan in plans.values() for step in plan)
    for statement, plan in plans.items():
        assert not any(map(looks_at_everything, plan)), (statement, plan)


def key(some_id: str) -> str:
    return some_id.replace("-", "") if db.engine.dialect.name == "sqlite" else some_id


def test_a_look_at_everything_would_be_found(core_with_a_past: Flask) -> None:
    def look() -> None:
        with db.engine.connect() as connection:
            connection.execute(text("SELECT count(*) FROM messages WHERE content LIKE '%x%'")).all()

    ((_, plan),) = plans_of(look).items()
    assert any(map(looks_at_everything, plan)), plan
