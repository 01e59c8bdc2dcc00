"""A deletion erases few long texts at a time, and a second one finds no account."""

from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select, text

from shared.actions.accounts import delete
from shared.actions.accounts.delete import delete_account
from shared.actions.chats.delete import delete_chat
from shared.actions.messages import erasures as module
from shared.actions.upkeep.finish_erasures import finish_erasures
from shared.database.units import execute, query, write_unit
from shared.errors.requests import Unauthenticated
from shared.models.chat import ChatRow
from shared.models.erasure import erasures
from shared.models.message import messages
from tests.factories import a_chat, a_post, a_user

POSTS = 3


@pytest.fixture
def chat(core: Flask) -> ChatRow:
    chat = a_chat(a_user())
    for number in range(POSTS):
        a_post(chat, f"Secret question {number}")
    return chat


def of(chat: ChatRow) -> list[Any]:
    return query(select(messages).where(messages.c.owner_id == chat.owner_id))


def left() -> list[Any]:
    return query(select(erasures.c.id))


def test_a_batch_of_long_texts_has_few_rows(chat: ChatRow, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_BYTES", 1)
    delete_chat(chat.owner_id, chat.id)
    assert sum(row.deleted_at is None for row in of(chat)) == 2 * POSTS - 1
    while left():
        finish_erasures()
    assert not any(row.content for row in of(chat))


def test_a_deletion_that_comes_twice_finds_no_account(chat: ChatRow) -> None:
    delete_account(chat.owner_id)
    with pytest.raises(Unauthenticated):
        delete_account(chat.owner_id)


_CANCELED = """
CREATE FUNCTION canceled() RETURNS int LANGUAGE plpgsql AS $$ BEGIN RAISE query_canceled; END $$
"""


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_a_count_that_takes_too_long_refuses_no_deletion(chat: ChatRow, monkeypatch: pytest.MonkeyPatch) -> None:
    """PostgreSQL ends a statement after 10 s."""
    with write_unit():
        execute(text(_CANCELED))
    monkeypatch.setattr(delete, "_counts", text("SELECT canceled() AS chats, 0 AS messages WHERE :user_id <> ''"))
    receipt = delete_account(chat.owner_id)
    assert (receipt.chats, receipt.messages) == (None, None)
    assert not any(row.content for row in of(chat))
