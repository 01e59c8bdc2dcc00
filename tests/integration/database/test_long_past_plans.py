"""Each list of a long chat reads an index in its order. No plan reads all messages, and no page sorts a history."""

import pytest
from flask import Flask
from flask.testing import FlaskClient

from shared.models import ChatSession
from tests.factories import a_post
from tests.integration.database.test_query_plans import learn, looks_at_everything, money_adds_up, plans_of  # noqa: F401
from tests.integration.messages.versions.conversation import long_chat

MANY = 5_000
# The index that each list must use. `{chat}` and `{waiting}` are the ids of the chat and of a reply that waits in it.
LISTS = {
    "/chats/{chat}/messages?order=desc": "ix_messages_chat_position",
    "/chats/{chat}/messages?order=asc": "ix_messages_chat_position",
    "/chats/{chat}/messages?around={waiting}": "ix_messages_chat_position",
    "/chats/{chat}/messages/{waiting}/versions": "ix_messages_version_of",
    "/chats/{chat}/messages/{waiting}": "ix_messages_waiting",
    "/chats/{chat}/queue": "ix_messages_open",
}
# These find their few rows by other keys than that of their order, and sort them.
SORT_A_FEW = ("/versions", "/queue")


@pytest.fixture
def names(core: Flask, chat: ChatSession) -> dict[str, str]:
    """The ids of a long chat, and of a reply that waits in it."""
    long_chat(chat, MANY)
    reply = a_post(chat).reply
    assert reply
    learn()
    return {"chat": chat.id, "waiting": reply.id}


def test_a_list_reads_an_index_in_its_order_however_long_the_chat_is(
    app: Flask, me: FlaskClient, names: dict[str, str]
) -> None:
    for path, index in LISTS.items():
        with app.app_context():
            plans = plans_of(lambda path=path: me.get(path.format(**names)))  # type: ignore[misc]
        steps = [step for plan in plans.values() for step in plan]
        assert any(index in step for step in steps), (path, plans)
        assert not any(map(looks_at_everything, steps)), (path, plans)
        if not any(part in path for part in SORT_A_FEW):
            assert not any("Sort" in step or "ORDER BY" in step for step in steps), (path, plans)
