"""The queue of a chat, and the places in it, are found by indexes of what is open, however much is done."""

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import text

from shared.actions.queue.pace import current_pace
from shared.actions.queue.places import queue_places
from shared.actions.queue.presence import note_worker
from shared.actions.queue.reorder import reorder_queue
from shared.database.tables import new_id
from shared.database.units import execute, write_unit
from shared.models import ChatSession
from shared.models.user import account_of
from tests.factories import a_post
from tests.integration.database.test_query_plans import (
    FINISHED,
    OF_ALL,
    core_with_a_past,  # noqa: F401
    key,
    learn,
    looks_at_everything,
    money_adds_up,  # noqa: F401
    plans_of,
)


@pytest.fixture
def long_chat(core_with_a_past: Flask, chat: ChatSession) -> ChatSession:  # noqa: F811
    """A chat of many answered messages, and of two that wait."""
    note_worker(new_id())
    with write_unit():
        takes_over = text("UPDATE messages SET owner_id = :me, chat_session_id = :chat WHERE status = 'completed'")
        execute(takes_over, {"me": key(chat.owner_id), "chat": key(chat.id)})
    a_post(chat)
    a_post(chat)
    learn()
    return chat


def test_places_are_read_by_one_statement_from_what_is_open(long_chat: ChatSession) -> None:
    posted = a_post(long_chat)
    current_pace()
    ((statement, plan),) = plans_of(lambda: queue_places(long_chat.owner_id, [posted.reply.id])).items()
    for index in ("ix_messages_open", "ix_messages_waiting"):
        assert any(index in step for step in plan), (statement, plan)
    must_read_little(statement, plan)


@pytest.mark.usefixtures("long_chat")
def test_the_pace_is_read_from_what_ended_last() -> None:
    ((statement, plan),) = plans_of(current_pace).items()
    assert any("ix_messages_completed" in step for step in plan), (statement, plan)
    must_read_little(statement, plan)


def must_read_little(statement: str, plan: list[str]) -> None:
    assert not any(map(looks_at_everything, plan)), (statement, plan)
    assert not any(name in step for step in plan for name in OF_ALL), (statement, plan)


def test_the_queue_of_a_long_chat_is_found_by_what_is_open(me: FlaskClient, long_chat: ChatSession) -> None:
    names = [item["id"] for item in me.get(f"/chats/{long_chat.id}/queue").json["items"]][::2]
    account = account_of(long_chat.owner_id)
    assert account

    def use() -> None:
        assert me.get(f"/chats/{long_chat.id}/queue").status_code == 200
        reorder_queue(long_chat.owner_id, long_chat.id, names[::-1], account.seq)
        for rule in ("reject", "interrupt"):
            me.post(f"/chats/{long_chat.id}/messages", json={"content": "Hello", "whenBusy": rule})
        me.patch(f"/chats/{long_chat.id}/messages/{names[0]}", json={"content": "Other"})
        assert me.delete(f"/chats/{long_chat.id}/queue/{names[1]}").status_code in (204, 409)

    plans = plans_of(use)
    assert len(plans) > 8
    assert FINISHED > 1_000
    for statement, plan in plans.items():
        assert not any(map(looks_at_everything, plan)), (statement, plan)
