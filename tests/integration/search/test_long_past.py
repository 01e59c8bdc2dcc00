"""A search of somebody with a long past: it reaches the oldest texts, and reads no more entries than it needs."""

from typing import Any

import pytest
from flask import Flask
from sqlalchemy import text, update

from shared.actions.search.find import find
from shared.actions.search.words import Words
from shared.database.units import execute, write_unit
from shared.models import ChatSession, User
from shared.models.user import users
from tests.factories import a_chat, a_user
from tests.integration.database.test_query_plans import learn, plans_of
from tests.integration.search.conftest import Search
from tests.integration.search.test_words import say

# Numbers of `seq` that lie between two texts: within one part of the index, and far beyond the largest parts.
GAPS = (1, 2_000, 5_000, 40_000, 300_000, 3_000_000, 90_000_000)


def let_pass(user: User, numbers: int) -> None:
    """Let the user's other changes take so many numbers."""
    with write_unit():
        execute(update(users).where(users.c.id == user.id).values(seq=users.c.seq + numbers))


def test_the_oldest_text_is_found_however_much_came_after_it(user: User, chat: ChatSession, search: Search) -> None:
    written = []
    for gap in GAPS:
        written.append(say(chat, "A needle"))
        let_pass(user, gap)
    assert [item["messageId"] for item in search("needle")] == written[::-1]
    assert [item["messageId"] for item in search("need", limit=2)] == written[::-1]


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_postgresql_reads_in_turn_what_is_near_and_asks_the_index_of_words_for_the_rest(
    core: Flask, user: User, chat: ChatSession
) -> None:
    with write_unit():
        execute(_ENTRIES, {"owner": user.id, "chat": chat.id})
        execute(_ENTRIES, {"owner": a_user().id, "chat": a_chat().id})
    let_pass(user, 30_000)
    learn()
    plans = plans_of(lambda: find(user.id, Words("seldom often"), 20, None), "search_entries")
    steps = [[step for step in plan if "search_entries" in step] for plan in plans.values()]
    assert len(steps) == 3  # titles, near messages, all others
    assert ["ix_search_entries_owner_seq" in str(step) for step in steps] == [True, True, False]
    assert "ix_search_entries_words" in str(steps[2])
    assert not any("Seq Scan" in str(step) for step in steps)


_ENTRIES: Any = text("""
    INSERT INTO search_entries SELECT :owner, false, n, gen_random_uuid(), :chat, search_words(:owner, n, 'often')
    FROM generate_series(1, 20000) n
""")
