"""The migration that adds the search finds what was stored before, and later migrations leave the triggers alone."""

from pathlib import Path

from alembic import command
from alembic.config import Config

import shared.migrations
from shared.actions.chats.change import change_chat
from shared.database.tables import db
from shared.models import ChatSession, User
from tests.factories import a_post
from tests.integration.messages.versions.conversation import answered
from tests.integration.search.test_words import Found, say


def test_a_text_is_found_on_a_database_that_was_migrated(
    database_url: str, user: User, chat: ChatSession, found: Found
) -> None:
    config = Config()
    config.set_main_option("script_location", str(Path(shared.migrations.__path__[0])))
    config.attributes["database_url"] = database_url
    db.engine.dispose()
    command.downgrade(config, "0011-1")
    change_chat(user.id, chat.id, "The old needle")
    answered(chat, "needle, still without an entry")
    a_post(chat, "needle with a reply that waits")
    db.engine.dispose()
    command.upgrade(config, "head")
    db.engine.dispose()
    expected = ["The old [needle]", "[needle] with a reply that waits", "[needle], still without an entry"]
    assert found("needle") == expected
    assert found("half") == ["[Half] of an answer"]
    say(chat, "needle afterwards")
    change_chat(user.id, chat.id, "The new needle")
    assert set(found("needle")) == {"The new [needle]", "[needle] afterwards", *expected[1:]}
