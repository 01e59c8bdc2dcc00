"""A fork keeps no title without its question, does not count as work of a worker, and is made once for each key."""

from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from shared.actions.chats.title import first_question, set_title
from shared.actions.queue.presence import note_worker
from shared.database.tables import new_id
from shared.models import ChatSession, User
from tests.factories import a_chat, a_post, a_user, everything, nothing_changes, signed_in, the_message
from tests.integration.chats.test_fork import forked, rows_of
from tests.integration.messages.versions.conversation import answered, ended, verb, with_reply


@pytest.mark.settings(rate_limit_posts="1/minute")
def test_a_known_key_is_answered_beyond_the_limit(me: FlaskClient, chat: ChatSession) -> None:
    posted = answered(chat)
    first = forked(me, chat, posted.reply, key="k")
    again = forked(me, chat, posted.reply, key="k")
    assert (again.status_code, again.json, again.headers["Idempotent-Replayed"]) == (201, first.json, "true")
    with nothing_changes():
        assert forked(me, chat, posted.reply, key="other").json["code"] == "too_many_requests"
        assert forked(me, chat, posted.reply).status_code == 429


@pytest.mark.settings(rate_limit_posts="12/minute")
def test_a_user_makes_a_sixth_as_many_forks_as_posts(me: FlaskClient, chat: ChatSession) -> None:
    posted = answered(chat)
    assert [forked(me, chat, posted.reply).status_code for _ in range(3)] == [201, 201, 429]
    assert me.post(f"/chats/{chat.id}/messages", json={"content": "A post"}).status_code == 202


def titled(chat: ChatSession, title: str, **question: Any) -> None:
    """Give the chat a generated title."""
    first = first_question(chat.id)
    assert first
    set_title(first._replace(**question), title)


def test_a_generated_title_goes_with_the_copy_of_the_edit_of_its_question(me: FlaskClient, chat: ChatSession) -> None:
    posted = answered(chat, "Secret")
    titled(chat, "Secret title")
    edit = verb(me, posted.message, "edit").json
    ended(with_reply(posted, edit["reply"]["id"]))
    new = forked(me, chat, the_message(edit["reply"]["id"])).json
    assert new["title"] == "Secret title"
    me.delete(f"/chats/{new['id']}/messages/{rows_of(new['id'])[0].id}")
    me.delete(f"/chats/{chat.id}/messages/{posted.message.id}")
    assert "Secret" not in str(everything())


def test_a_generated_title_without_its_question_stays_behind(me: FlaskClient, chat: ChatSession) -> None:
    first, second = answered(chat, "First"), answered(chat, "Second")
    titled(chat, "A title of the second", id=second.message.id)
    new = forked(me, chat, first.reply).json
    assert (new["title"], new["titleSource"]) == ("New chat", "default")


def test_copies_are_no_completions(app: Flask, me: FlaskClient, user: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shared.actions.queue.pace._FRESH", 0.0)
    note_worker(new_id())
    other = a_user()
    chat = a_chat(other)
    posted = [answered(chat) for _ in range(4)][-1]
    forked(signed_in(app, other), chat, posted.reply)
    mine = a_post(a_chat(user))
    path = f"/chats/{mine.message.chat_session_id}/messages/{mine.reply.id}"  # type: ignore[union-attr]
    assert me.get(path).json["queue"]["estimatedStartAt"] is None
    answered(chat)
    assert me.get(path).json["queue"]["estimatedStartAt"]
