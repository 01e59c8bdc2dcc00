"""The page's search takes the answer to the last words alone, and forgets what is deleted."""

from typing import Any

from playwright.sync_api import Page

from tests.unit.client.story import CHAT

PLACES = """async (events) => {
    const { placesOf } = await import("/client/state/search.js");
    const { reduce, start } = await import("/client/state/store.js");
    return placesOf(events.map(([type, data]) => ({ type, data })).reduce(reduce, start)).map((one) => one.messageId);
}"""


def found(q: str, *ids: str, after: str | None = None) -> tuple[str, Any]:
    items = [{"chatSessionId": CHAT, "messageId": name} for name in ids]
    return "search.found", {"q": q, "after": after, "items": items, "nextCursor": None}


def places(page: Page, *events: tuple[str, Any]) -> Any:
    return page.evaluate(PLACES, list(events))


def test_a_late_answer_counts_for_nothing(page: Page) -> None:
    typed = ("search.asked", "ro"), ("search.asked", "rose")
    assert places(page, *typed, found("rose", "b"), found("ro", "a")) == ["b"]
    assert places(page, *typed, ("search.asked", " "), found("rose", "b")) == []


def test_further_places_follow_the_first_and_other_words_replace_them(page: Page) -> None:
    both = ("search.asked", "rose"), found("rose", "a"), found("rose", "b", after="cursor")
    assert places(page, *both) == ["a", "b"]
    assert places(page, *both, ("search.asked", "roses")) == ["a", "b"], "until the answer comes"
    assert places(page, *both, ("search.asked", "roses"), found("roses")) == []


def test_a_failure_is_told_and_the_places_stay(page: Page) -> None:
    lost = "search.failed", {"q": "rose", "problem": "Lost."}
    assert places(page, ("search.asked", "rose"), found("rose", "a"), lost) == ["a"]


def test_a_deleted_message_or_chat_is_no_place_any_more(page: Page) -> None:
    both = ("search.asked", "rose"), found("rose", "a", "b")
    assert places(page, *both, ("message.deleted", {"id": "a"})) == ["b"]
    assert places(page, *both, ("chat.deleted", {"id": CHAT})) == []
