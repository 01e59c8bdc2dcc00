"""The migration that fills the search runs beside the programs. A text that they erase meanwhile gets no entry."""

from typing import Any

import pytest
from flask import Flask
from sqlalchemy import text

from shared.actions.messages.idempotency import PostRequest
from shared.actions.messages.post import post_message
from shared.database.migrate import migrate
from shared.models import ChatSession
from tests.eventually import eventually
from tests.factories import meanwhile


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_a_text_that_is_erased_while_its_batch_is_filled_has_no_entry(
    core: Flask, database_url: str, operator: Any, chat: ChatSession
) -> None:
    kept, gone = (
        post_message(chat.owner_id, PostRequest(chat.id, said, generate=False)).message.id for said in ("Kept", "Gone")
    )
    operator.execute(text("TRUNCATE search_entries"))
    operator.execute(text("UPDATE alembic_version SET version_num = '0011'"))
    operator.execute(text("BEGIN"))
    operator.execute(text("UPDATE messages SET content = '', deleted_at = now() WHERE id = :id"), {"id": gone})
    with meanwhile(core, lambda: migrate(database_url)):
        eventually(lambda: operator.execute(text("SELECT 1 FROM pg_locks WHERE NOT granted")).first())
        operator.execute(text("COMMIT"))
    assert [str(row.id) for row in operator.execute(text("SELECT id FROM search_entries"))] == [kept]
