"""A long deletion goes in short batches. Nobody else waits for it, nobody sees its text again, and it always ends."""

import threading
import time
from types import SimpleNamespace
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from shared.actions.accounts.delete import delete_account
from shared.actions.chats.change import change_chat
from shared.actions.chats.delete import delete_chat
from shared.actions.messages import erasures as module
from shared.actions.replies.finish import Answer, Superseded, complete_reply
from shared.actions.upkeep.finish_erasures import finish_erasures
from shared.database.units import query
from shared.models.chat import ChatRow
from shared.models.erasure import ErasureRow, erasures
from shared.models.message import messages
from shared.models.user import users
from tests.edge.rows.held_rows import held
from tests.eventually import eventually, joined
from tests.factories import a_chat, a_claim, a_post, a_user, everything, nothing_changes, signed_in, the_chat, the_user
from workers.context import build_context
from workers.sweeper import erase

ANSWERS = 6  # with their questions twice as many messages


@pytest.fixture(autouse=True)
def short_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    """Three rows at once and in a batch, so that a few rows are a long deletion."""
    monkeypatch.setattr(module, "AT_ONCE", 3)
    monkeypatch.setattr(module, "_MOST", 3)
    monkeypatch.setattr(module, "_BATCH_SECONDS", 60.0)
    monkeypatch.setattr(module, "_SLICE", 60.0)


@pytest.fixture
def chat(core: Flask) -> ChatRow:
    """A chat with a past, and with a reply that runs."""
    chat = a_chat(a_user())
    change_chat(chat.owner_id, chat.id, "Secret title")
    for number in range(ANSWERS):
        complete_reply(a_claim(a_post(chat, f"Secret question {number}", key=f"key {number}")), Answer("Secret answer"))
    return chat


@pytest.fixture
def me(app: Flask, chat: ChatRow) -> FlaskClient:
    return signed_in(app, the_user(chat.owner_id))


def of(chat: ChatRow) -> list[Any]:
    return query(select(messages).where(messages.c.owner_id == chat.owner_id).order_by(messages.c.position))


def left() -> list[ErasureRow]:
    return query(select(erasures), row=ErasureRow)


def test_from_its_commit_on_no_answer_shows_its_text(chat: ChatRow, me: FlaskClient) -> None:
    last = a_post(chat, "Secret last question")
    claim, cursor = a_claim(last), the_user(chat.owner_id).seq
    delete_chat(chat.owner_id, chat.id)
    assert "Secret question 4" in str(everything()), "otherwise this test shows nothing"
    asked = ["/chats", "/sync?after=0", f"/chats/{chat.id}", f"/chats/{chat.id}/messages"]
    asked.append(f"/chats/{chat.id}/messages/{last.message.id}")
    again = {"json": {"content": "Secret question 4"}, "headers": {"Idempotency-Key": "key 4"}}
    answers = [*(me.get(path) for path in asked), me.post(f"/chats/{chat.id}/messages", **again)]
    assert [answer.status_code for answer in answers] == [200, 200, 404, 404, 404, 202]
    assert not [answer.text for answer in answers if "ecret" in answer.text]
    changes = me.get(f"/sync?after={cursor}").json
    assert (changes["chats"], changes["messages"]) == ([{"id": chat.id, "seq": cursor + 1, "deleted": True}], [])
    with pytest.raises(Superseded):
        build_context(claim)


@pytest.mark.parametrize("what", ["chat", "account"])
def test_the_sweeper_erases_the_rest_and_then_forgets_the_deletion(what: str, chat: ChatRow, me: FlaskClient) -> None:
    a_claim(a_post(chat, "Secret last question"))
    others = [a_chat(the_user(chat.owner_id)) for _ in range(4)]
    if what == "account":
        delete_account(chat.owner_id)
    else:
        delete_chat(chat.owner_id, chat.id)
    assert [row.id for row in left()] == [chat.owner_id if what == "account" else chat.id]
    assert finish_erasures() > 6
    assert left() == []
    assert "ecret" not in str(everything())
    assert {bool(row.deleted_at) for row in of(chat)} == {True}
    assert {bool(the_chat(other.id).deleted_at) for other in others} == {what == "account"}
    if what == "chat":
        assert {row.seq for row in of(chat)} == {the_chat(chat.id).seq}
    with nothing_changes():
        assert finish_erasures() == 0


def test_a_short_one_is_whole_at_once(core: Flask) -> None:
    posted = a_post(content="Secret")
    delete_chat(posted.message.owner_id, posted.message.chat_session_id)
    assert left() == []
    assert "ecret" not in str(everything())


@pytest.mark.parametrize("batches", [0, 1, 2])
def test_a_program_that_dies_half_way_leaves_the_rest_to_the_next(
    batches: int, chat: ChatRow, monkeypatch: pytest.MonkeyPatch
) -> None:
    delete_chat(chat.owner_id, chat.id)
    seen: list[int] = []

    def die(part: Any, erasure: Any, batch: Any) -> int:
        done: int = real(part, erasure, batch)
        seen.append(done)
        if len(seen) > batches:
            raise KeyboardInterrupt
        return done

    real = module._erase
    monkeypatch.setattr(module, "_erase", die)
    with pytest.raises(KeyboardInterrupt):
        finish_erasures()
    monkeypatch.setattr(module, "_erase", real)
    (erasure,) = left()
    with_text = [row.position for row in of(chat) if row.content]
    assert len(with_text) == 2 * ANSWERS - 3 - sum(seen[:-1]), "what the last batch did is undone"
    assert min(with_text) > erasure.reached, "a batch and its note are one transaction"
    assert finish_erasures() == len(with_text)
    assert "ecret" not in str(everything())
    assert left() == []


def test_between_two_batches_everybody_else_may_write(chat: ChatRow, monkeypatch: pytest.MonkeyPatch) -> None:
    delete_chat(chat.owner_id, chat.id)
    posted: list[Any] = []
    # an open transaction would keep SQLite from the post for five seconds, and then the post would fail
    rests = SimpleNamespace(monotonic=time.monotonic, sleep=lambda _: posted.append(a_post()))
    monkeypatch.setattr(module, "time", rests)
    assert finish_erasures() == 2 * ANSWERS - 3
    assert len(posted) >= 3


def test_a_batch_is_as_long_as_its_time_allows(chat: ChatRow, monkeypatch: pytest.MonkeyPatch) -> None:
    sizes: list[int] = []
    real = module._erase
    monkeypatch.setattr(module, "_BATCH_SECONDS", 0.0)  # so that each batch seems to have taken too long
    delete_chat(chat.owner_id, chat.id)
    monkeypatch.setattr(module, "_erase", lambda *args: sizes.append(len(args[2])) or real(*args))
    finish_erasures()
    assert max(sizes[1:]) == 1


def test_others_have_their_turn_after_a_slice(chat: ChatRow, monkeypatch: pytest.MonkeyPatch) -> None:
    other = a_post(content="Secret of another")
    for _ in range(2):
        complete_reply(a_claim(other), Answer("Secret answer"))
        other = a_post(the_chat(other.message.chat_session_id), "Secret of another")
    monkeypatch.setattr(module, "_SLICE", 0.0)
    delete_chat(chat.owner_id, chat.id)
    delete_chat(other.message.owner_id, other.message.chat_session_id)
    assert len(left()) == 2
    assert finish_erasures() <= 2 * 3, "each gets one batch in a round"
    while left():
        assert finish_erasures() <= 2 * 3


def test_the_sweeper_has_a_thread_for_it(core: Flask, chat: ChatRow) -> None:
    stopping = threading.Event()
    thread = threading.Thread(target=erase, args=[core, 0.01, stopping])
    thread.start()
    try:
        delete_chat(chat.owner_id, chat.id)
        eventually(lambda: left() == [])
    finally:
        stopping.set()
        joined(thread)
    assert "ecret" not in str(everything())


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)  # SQLite has no locks of rows
def test_a_locked_row_is_erased_later(chat: ChatRow, database_url: str) -> None:
    locked = of(chat)[5]
    with held(database_url, messages, messages.c.id == locked.id):
        delete_chat(chat.owner_id, chat.id)
        assert finish_erasures() == 2 * ANSWERS - 3 - 1
        assert [row.id for row in of(chat) if row.content] == [locked.id]
        assert len(left()) == 1
    assert finish_erasures() == 1
    assert left() == []


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_a_batch_needs_no_lock_of_the_owner(chat: ChatRow, database_url: str) -> None:
    delete_chat(chat.owner_id, chat.id)
    with held(database_url, users, users.c.id == chat.owner_id):
        assert finish_erasures() == 2 * ANSWERS - 3
