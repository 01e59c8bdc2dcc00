"""A request finds a chat right before somebody deletes it. From the deletion's commit on, no answer shows its text."""

from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from api.access import decorators
from api.resources import messages as resource
from api.resources import versions
from shared.actions.accounts.delete import delete_account
from shared.actions.chats.change import change_chat
from shared.actions.chats.delete import delete_chat
from shared.actions.messages import accept, erasures
from shared.actions.messages.delete import delete_message
from shared.actions.messages.idempotency import PostRequest
from shared.actions.replies import stop
from shared.actions.replies.finish import Answer, complete_reply
from shared.actions.search import find
from shared.core import current_link
from shared.models.chat import ChatRow
from shared.redis.live_text import Piece, append, read
from tests.factories import a_chat, a_claim, a_post, a_user, everything, signed_in, the_user

SECRET = "ecret"


@pytest.fixture(autouse=True)
def long_deletions(monkeypatch: pytest.MonkeyPatch) -> None:
    """The deletion's own unit erases nothing. The sweeper erases all."""
    monkeypatch.setattr(erasures, "AT_ONCE", 0)


@pytest.fixture
def chat(core: Flask) -> ChatRow:
    chat = change_chat((it := a_chat(a_user())).owner_id, it.id, "Secret title")
    complete_reply(a_claim(a_post(chat, "Secret question", key="key")), Answer("Secret answer"))
    return chat


@pytest.fixture
def me(app: Flask, chat: ChatRow) -> FlaskClient:
    return signed_in(app, the_user(chat.owner_id))


def delete_after(patch: pytest.MonkeyPatch, module: Any, name: str, delete: Any) -> None:
    """Right after the first call of this function, the deletion commits."""
    real = getattr(module, name)

    def found(*args: Any) -> Any:
        answer = real(*args)
        patch.setattr(module, name, real)
        delete()
        return answer

    patch.setattr(module, name, found)


def deletions(chat: ChatRow) -> dict[str, Callable[[], None]]:
    return {
        "chat": lambda: delete_chat(chat.owner_id, chat.id),
        "account": lambda: delete_account(chat.owner_id),
    }


@pytest.mark.parametrize("what", ["chat", "account"])
@pytest.mark.parametrize("path", ["", "/{}"], ids=["all messages", "one message"])
def test_a_reader_that_found_the_chat_gets_no_text(
    chat: ChatRow, me: FlaskClient, path: str, what: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    running = a_claim(a_post(chat, "Secret last question"))
    delete_after(monkeypatch, resource, "find_chat", deletions(chat)[what])
    answer = me.get(f"/chats/{chat.id}/messages{path.format(running.reply_to)}")
    assert SECRET in str(everything()), "otherwise this test shows nothing"
    assert SECRET not in answer.text
    assert answer.status_code == (404 if path else 200)


@pytest.mark.parametrize("path", ["/chats", "/chats/{}", "/chats/{}/messages", "/sync?after=0", "/search?q=secret"])
def test_a_reader_whose_account_is_deleted_meanwhile_gets_no_text(
    chat: ChatRow, me: FlaskClient, path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    delete_after(monkeypatch, decorators, "require_in_use", lambda: delete_account(chat.owner_id))
    answer = me.get(path.format(chat.id))
    assert SECRET in str(everything())
    assert SECRET not in answer.text


def test_a_post_that_is_sent_again_meanwhile_shows_no_text(chat: ChatRow, monkeypatch: pytest.MonkeyPatch) -> None:
    delete_after(monkeypatch, accept, "recall", lambda: delete_account(chat.owner_id))
    posted = accept.accepted_before(chat.owner_id, PostRequest(chat.id, "Secret question"), "key")
    assert posted
    assert SECRET not in str(posted)


@pytest.mark.parametrize("what", ["chat", "account"])
def test_a_stop_that_found_the_reply_stores_and_shows_nothing(
    chat: ChatRow, me: FlaskClient, what: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    claim, link = a_claim(a_post(chat, "A question")), current_link()
    append(link, [Piece(claim.id, claim.attempt, "Secret live text", b'["nobody","resync",{}]')])
    delete_after(monkeypatch, stop.live_text, "read", deletions(chat)[what])
    answer = me.post(f"/chats/{chat.id}/messages/{claim.id}/stop")
    assert answer.status_code == 404
    assert "live text" not in answer.text + str(everything())
    assert read(link, [(claim.id, claim.attempt)]) == [None]


@pytest.mark.parametrize("what", ["chat", "account"])
def test_versions_of_a_message_that_was_found_have_no_text(
    chat: ChatRow, me: FlaskClient, what: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    posted = a_post(chat, "Secret last question")
    delete_after(monkeypatch, versions, "find_message", deletions(chat)[what])
    answer = me.get(f"/chats/{chat.id}/messages/{posted.message.id}/versions")
    assert (answer.status_code, answer.json["items"]) == (200, [])


@pytest.mark.parametrize("what", ["chat", "account", "message"])
def test_a_long_text_that_a_search_has_found_is_not_read_again(
    chat: ChatRow, me: FlaskClient, what: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    posted = a_post(chat, " ".join([*["plain"] * 300, "needle"]))
    message = lambda: delete_message(chat.owner_id, chat.id, posted.message.id)  # noqa: E731
    real = find.newest_matches

    def found(*args: Any, **options: Any) -> Any:
        answer = real(*args, **options)
        if answer:
            (deletions(chat) | {"message": message})[what]()
        return answer

    monkeypatch.setattr(find, "newest_matches", found)
    (item,) = me.get("/search?q=needle").json["items"]
    assert item["snippet"] == []
