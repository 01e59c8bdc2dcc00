"""The migration that adds the search finds what was stored before, and later migrations leave the triggers alone."""

from collections.abc import Callable
from pathlib import Path

import pytest
from alembic import command
from alembic.config import Config
from sqlalchemy import text

import shared.migrations
from shared.actions.chats.change import change_chat
from shared.actions.messages.delete import delete_message
from shared.database.tables import db
from shared.database.units import write_unit
from shared.models import ChatSession, User
from tests.factories import a_chat, a_post
from tests.integration.messages.versions.conversation import answered, long_chat
from tests.integration.search.test_words import Found, say

Move = Callable[[Callable[[Config, str], None], str], None]


@pytest.fixture
def move(database_url: str) -> Move:
    """`move(command.upgrade, "head")` migrates the database."""
    config = Config()
    config.set_main_option("script_location", str(Path(shared.migrations.__path__[0])))
    config.attributes["database_url"] = database_url

    def moved(which: Callable[[Config, str], None], revision: str) -> None:
        db.engine.dispose()
        which(config, revision)
        db.engine.dispose()

    return moved


def test_a_text_is_found_on_a_database_that_was_migrated(
    move: Move, user: User, chat: ChatSession, found: Found
) -> None:
    move(command.downgrade, "0010")
    change_chat(user.id, chat.id, "The old needle")
    answered(chat, "needle, still without an entry")
    a_post(chat, "needle with a reply that waits")
    move(command.upgrade, "head")
    expected = ["The old [needle]", "[needle] with a reply that waits", "[needle], still without an entry"]
    assert found("needle") == expected
    assert found("half") == ["[Half] of an answer"]
    say(chat, "needle afterwards")
    change_chat(user.id, chat.id, "The new needle")
    assert set(found("needle")) == {"The new [needle]", "[needle] afterwards", *expected[1:]}


def test_a_text_is_found_in_each_form_after_the_migration_for_that(
    move: Move, user: User, chat: ChatSession, found: Found
) -> None:
    move(command.downgrade, "0013")
    change_chat(user.id, chat.id, "🤖robot: ΟΔΟΣ")
    long_chat(a_chat(), 120)  # more than a batch
    say(chat, "🤖robot: οδος")
    expected = ["🤖[robot]: [ΟΔΟΣ]", "🤖[robot]: [οδος]"]
    assert found("robot οδοσ") != expected
    move(command.upgrade, "head")
    assert found("robot οδοσ") == expected
    move(command.downgrade, "0013")
    assert found("robot οδοσ") != expected


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_the_fill_takes_in_what_is_written_meanwhile_and_may_be_repeated(
    move: Move, chat: ChatSession, found: Found
) -> None:
    move(command.downgrade, "0010")
    old = [say(chat, f"needle {n}") for n in range(5)]
    long_chat(a_chat(), 250)  # more than a batch
    move(command.upgrade, "0011")  # the triggers are there, and the programs go on
    say(chat, "needle 5")
    delete_message(chat.owner_id, chat.id, old[0])
    for _ in range(2):
        move(command.upgrade, "head")
        with write_unit() as connection:
            assert connection.execute(text("SELECT count(*) FROM search_entries")).scalar() == 255
        assert found("needle") == [f"[needle] {n}" for n in (5, 4, 3, 2, 1)]
        move(command.downgrade, "0011")
    move(command.upgrade, "head")
