"""Typed text stays with its chat."""

from typing import Any

from playwright.sync_api import Page

from tests.unit.client.story import CHAT, after, chat

POST = {"key": "k", "chatSessionId": CHAT, "content": "hello", "begun": 1}


def typed(chat: str | None, text: str) -> tuple[str, Any]:
    return "typed", {"chatSessionId": chat, "text": text}


def test_each_chat_has_a_text_of_its_own_and_an_empty_one_is_forgotten(page: Page) -> None:
    state = after(page, typed(CHAT, "half"), ("chat.opened", "other"), typed("other", "one\r\ntwo"))
    assert state["typed"] == {CHAT: "half", "other": "one\ntwo"}
    assert after(page, typed(CHAT, "half"), typed(CHAT, ""))["typed"] == {}


def test_what_was_written_before_its_chat_existed_moves_into_the_new_chat(page: Page) -> None:
    early = ("chat.opened", None), typed(None, "early"), ("draft.sending", POST | {"chatSessionId": None})
    state = after(page, *early, ("chat.begun", "new"))
    assert state["typed"] == {"new": "early"}
    assert [draft["chatSessionId"] for draft in state["drafts"]] == ["new"]
    assert (state["openChat"], state["loaded"]) == ("new", True)
    away = after(page, *early, ("chat.opened", "other"), ("chat.begun", "new"))
    assert (away["openChat"], away["typed"]) == ("other", {"new": "early"})


def test_a_message_that_comes_back_stands_before_what_was_typed_meanwhile(page: Page) -> None:
    back = ("typed.returned", {"chatSessionId": CHAT, "text": "first"})
    assert after(page, back)["typed"] == {CHAT: "first"}
    assert after(page, typed(CHAT, "second"), back)["typed"] == {CHAT: "first\n\nsecond"}


def test_a_deleted_chat_takes_its_own_unsent_words_with_it_and_no_others(page: Page) -> None:
    words = typed(CHAT, "a"), typed("other", "b"), ("draft.sending", POST)
    elsewhere = ("draft.sending", POST | {"key": "k2", "chatSessionId": "other"})
    state = after(page, *words, elsewhere, ("chat.deleted", {"id": CHAT, "seq": 1}))
    assert state["typed"] == {"other": "b"}
    assert [draft["key"] for draft in state["drafts"]] == ["k2"]


def test_an_edit_goes_with_its_message_or_its_chat(page: Page) -> None:
    edits = [("typed", {"chatSessionId": CHAT, "part": part, "text": part}) for part in ("m", "instructions")]
    state = after(page, typed(CHAT, "half"), *edits, ("message.deleted", {"id": "m", "seq": 1}))
    assert state["typed"] == {CHAT: "half", f"{CHAT}/instructions": "instructions"}
    assert after(page, *edits, ("chat.deleted", {"id": CHAT, "seq": 1}))["typed"] == {}


def test_what_was_kept_comes_back_and_nothing_of_it_after_a_sign_out(page: Page) -> None:
    kept = ("kept", {"typed": {CHAT: "old", "other": "b"}, "drafts": [POST]})
    state = after(page, ("chat.updated", chat(CHAT, 1, 1)), typed(CHAT, "newer"), kept)
    assert state["typed"] == {CHAT: "newer", "other": "b"}
    assert [(draft["key"], draft["status"]) for draft in state["drafts"]] == [("k", "unsent")]
    gone = after(page, kept, ("signed-out", None))
    assert (gone["typed"], gone["drafts"]) == ({}, [])
