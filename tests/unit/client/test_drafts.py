"""The user's own posts, and the balance that their answers carry."""

from typing import Any

from playwright.sync_api import Page

from tests.unit.client.story import CHAT, MINE, after, message

DRAFT = ("draft.sending", {"key": "k", "chatSessionId": CHAT, "content": "hello"})
ACCEPTED = (
    "draft.accepted",
    {"key": "k", "message": MINE, "reply": message(seq=9), "credits": {"balance": 7, "held": 3}},
)


def test_a_post_is_seen_once_whichever_of_its_event_and_its_answer_comes_first(page: Page) -> None:
    overtaken = after(page, DRAFT, ("message.created", MINE))
    assert [draft["echoed"] for draft in overtaken["drafts"]] == [True]
    for events in (ACCEPTED, ("message.created", MINE)), (("message.created", MINE), ACCEPTED):
        state = after(page, DRAFT, *events)
        assert [one["id"] for one in state["messages"]] == ["mine", "m"]
        assert state["drafts"] == []


def test_a_post_that_was_not_sent_stays_with_its_reason(page: Page) -> None:
    (draft,) = after(page, DRAFT, ("draft.unsent", {"key": "k", "problem": "No credits."}))["drafts"]
    assert (draft["status"], draft["problem"], draft["content"]) == ("unsent", "No credits.", "hello")


def test_a_balance_that_is_late_is_ignored(page: Page) -> None:
    newer = ("credits.changed", {"balance": 10, "held": 0, "seq": 20})
    assert after(page, DRAFT, newer, ACCEPTED)["credits"]["balance"] == 10
    assert after(page, newer, DRAFT, ACCEPTED)["credits"]["balance"] == 10


def test_an_old_message_with_the_same_words_hides_no_draft(page: Page) -> None:
    history = ("messages.loaded", {"chatSessionId": CHAT, "items": [MINE], "nextCursor": None})
    assert "echoed" not in after(page, DRAFT, history)["drafts"][0]


def test_only_a_post_that_may_have_arrived_is_hidden_by_its_event(page: Page) -> None:
    def hidden(**why: Any) -> Any:
        (draft,) = after(page, DRAFT, ("draft.unsent", {"key": "k", **why}), ("message.created", MINE))["drafts"]
        return draft["echoed"]

    assert hidden(problem="No answer.", passing=True)
    assert not hidden(problem="No credits.")
    lost = ("draft.unsent", {"key": "k", "problem": "No answer.", "passing": True})
    assert after(page, DRAFT, ("message.created", MINE), lost)["drafts"][0]["echoed"]
