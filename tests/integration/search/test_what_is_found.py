"""Texts are found from the commit on that makes them final and shown, until the commit that takes them away."""

from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select, text, update

from shared.actions.accounts.delete import delete_account
from shared.actions.chats.change import change_chat
from shared.actions.chats.delete import delete_chat
from shared.actions.messages import erasures
from shared.actions.messages.delete import delete_message
from shared.actions.replies.stop import stop_reply
from shared.actions.upkeep.finish_erasures import finish_erasures
from shared.database.tables import db
from shared.database.units import execute, query, write_unit
from shared.models import ChatSession, User
from shared.models.message import messages
from tests.factories import a_chat, a_claim, a_post, a_user, change, signed_in
from tests.integration.messages.versions.conversation import answered, ended, verb
from tests.integration.search.conftest import Search
from tests.integration.search.test_words import Found, say


def entries() -> int:
    """The entries of all users. Deleted ones would be counted, too."""
    return int(query(select(func.count()).select_from(text("search_entries"))).scalar() or 0)


def rows_with(word: str) -> int:
    """How many rows the database's own index of words has for this word, whoever owns them."""
    statement = {
        "sqlite": "SELECT count(*) FROM search_words WHERE search_words MATCH :word",
        "postgresql": "SELECT count(*) FROM search_entries WHERE words @@ plainto_tsquery('simple', :word)",
    }
    return int(query(text(statement[db.engine.dialect.name]), {"word": word}).scalar() or 0)


def test_a_reply_is_found_once_it_has_ended(chat: ChatSession, found: Found) -> None:
    posted = a_post(chat, "Seek")
    claim = a_claim(posted)
    change(claim.id, content="needle so far")  # a checkpoint
    assert (found("seek"), found("needle")) == (["[Seek]"], [])
    change(claim.id, status="pending")
    ended(posted, text="needle")
    assert found("needle") == ["[needle]"]


@pytest.mark.parametrize("how", ["failed", "stopped", "cut"])
def test_the_kept_text_of_a_reply_that_broke_off_is_found(how: str, chat: ChatSession, found: Found) -> None:
    answered(chat, how=how)
    assert found("half") == ["[Half] of an answer"]


def test_the_shown_version_alone_is_found(me: FlaskClient, chat: ChatSession, found: Found) -> None:
    posted = answered(chat, "First question")
    edited = verb(me, posted.message, "edit", content="Second question").json
    assert (found("question"), found("half")) == (["Second [question]"], [])
    stop_reply(chat.owner_id, chat.id, edited["reply"]["id"])
    assert verb(me, posted.message, "shown").status_code == 200
    assert (found("question"), found("half")) == (["First [question]"], ["[Half] of an answer"])


def test_a_title_is_found_as_long_as_it_is_the_title(user: User, chat: ChatSession, found: Found) -> None:
    assert found("chat") == []
    change_chat(user.id, chat.id, "About needles")
    assert found("need") == ["About [need]les"]
    change_chat(user.id, chat.id, "About thread")
    assert (found("needles"), found("thread")) == ([], ["About [thread]"])


def test_copies_in_a_fork_are_found_too(me: FlaskClient, chat: ChatSession, search: Search) -> None:
    posted = answered(chat, "A needle")
    fork = me.post(f"/chats/{chat.id}/fork", json={"messageId": posted.message.id}).json["id"]
    assert {item["chatSessionId"] for item in search("needle")} == {chat.id, fork}


DELETIONS: dict[str, Callable[[User, ChatSession, list[Any]], object]] = {
    "messages": lambda user, chat, posts: [delete_message(user.id, chat.id, post.message.id) for post in posts],
    "chat": lambda user, chat, _: delete_chat(user.id, chat.id),
    "account": lambda user, _chat, _posts: delete_account(user.id),
}


@pytest.mark.parametrize("what", DELETIONS)
def test_what_is_deleted_leaves_no_entry_and_no_word(
    what: str,
    user: User,
    chat: ChatSession,
) -> None:
    say(a_chat(a_user()), "A needle of somebody else")
    change_chat(user.id, chat.id, "A needle")
    posts = [answered(chat, "needle, " * n) for n in (1, 2)]
    assert (entries(), rows_with("needle")) == (6, 4)
    DELETIONS[what](user, chat, posts)
    left = (2, 2) if what == "messages" else (1, 1)
    assert (entries(), rows_with("needle")) == left


def test_rows_that_the_sweeper_has_yet_to_erase_are_not_found(
    me: FlaskClient, chat: ChatSession, found: Found, monkeypatch: pytest.MonkeyPatch
) -> None:
    for n in range(4):
        say(chat, f"needle {n}")
    monkeypatch.setattr(erasures, "AT_ONCE", 1)
    assert me.delete(f"/chats/{chat.id}").status_code == 204
    assert (found("needle"), entries()) == ([], 3)
    finish_erasures()
    assert (entries(), rows_with("needle")) == (0, 0)


def test_nobody_finds_what_is_somebody_elses(app: Flask, user: User, chat: ChatSession, found: Found) -> None:
    other = a_user()
    say(chat, "needle")
    # a text that looks like the mark of another owner
    say(chat, f"needle {other.id}@ m{other.id.replace('-', '')} t{other.id.replace('-', '')} {other.id}@11.0")
    change_chat(user.id, chat.id, f"needle {other.id}@")
    others = signed_in(app, other)
    for q in ("needle", f"needle {user.id}", f"{user.id}@", f"m{user.id.replace('-', '')}"):
        assert others.get("/search", query_string={"q": q}).json["items"] == []
    assert len(found("needle")) == 3
    assert app.test_client().get("/search?q=needle").status_code == 401


def test_a_text_of_any_size_and_kind_can_be_stored_and_found(chat: ChatSession, found: Found) -> None:
    texts = ["".join(map(chr, range(0x20000, 0x20000 + 99_000))), "x" * 99_990, "é" * 3_000 + " " + "ab " * 30_000]
    texts += [" ".join(f"{n:x}" for n in range(19_000)), "\u0301" * 5_000, "\ufdfa" * 20_000, "\U0001f600" * 99_000]
    for content in texts:
        say(chat, f"needle {content}")
    assert len(found("needle")) == len(texts)


@pytest.mark.parametrize("marks", ["\u0301\u0316", "\u0591\u05b0", "\u0f73"], ids=ascii)
def test_marks_in_the_wrong_order_cost_no_more_than_other_characters(
    marks: str, chat: ChatSession, found: Found
) -> None:
    """Neither a database nor Python sorts such a row, which would take minutes (D-233)."""
    say(chat, marks * (99_000 // len(marks)) + " needle か")
    assert [len(found(q)) for q in ("needle", "か", "nowhere")] == [1, 1, 0]
    assert len(found(" ".join(["needle", *90 * ["か"]]))) == 1


def test_only_the_first_hundred_thousand_characters_of_a_reply_are_found(chat: ChatSession, found: Found) -> None:
    ended(a_post(chat), text="early " + "x " * 60_000 + "late")
    assert len(found("early")) == 1
    assert found("late") == []


def test_a_change_of_nothing_that_is_found_touches_no_entry(chat: ChatSession) -> None:
    """The triggers' conditions: claims, renewals and checkpoints must cost nothing."""
    posted = a_post(chat, "needle")
    assert posted.reply
    before = entry_rows()
    with write_unit():
        execute(update(messages).where(messages.c.id == posted.reply.id).values(content="so far", status="running"))
        execute(update(messages).values(updated_at=func.current_timestamp(), content=messages.c.content))
    assert entry_rows() == before
    change(posted.reply.id, status="pending")
    ended(posted)
    assert len(entry_rows()) == len(before) + 1


def entry_rows() -> list[tuple[Any, ...]]:
    """The entries, each with a mark that changes when the row is written."""
    mark = {"sqlite": "number", "postgresql": "xmin::text || ctid::text"}[db.engine.dialect.name]
    return sorted(map(tuple, query(text(f"SELECT {mark}, CAST(id AS text) FROM search_entries"))))
