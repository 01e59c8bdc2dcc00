"""The browser keeps unsent words for one user, and only as long as they are unsent."""

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Page

# Plays `steps` on the page's state. Each is [tab, type, data]; two tabs have a state and a `keep` of their own.
PLAY = """async (steps) => {
    const { Keep } = await import("/client/wire/keep.js");
    const { reduce, start } = await import("/client/state/store.js");
    const taken = [];
    const tabs = {};
    function tab(name) {
        let state = start;
        const dispatch = (type, data) => {
            const before = state;
            state = reduce(state, { type, data });
            keep.look(state, before);
        };
        const keep = new Keep({ dispatch, taken: () => taken.push(name) });
        const signedIn = (user) => (dispatch("signed-in", user), keep.open(user));
        const heard = ([name, text]) => dispatchEvent(
            new StorageEvent("storage", { key: `holdfast.${name}`, newValue: text }),
        );
        const act = { signedIn, signedOut: () => keep.clear(), heard };
        return { play: (type, data) => (act[type] ?? dispatch.bind(null, type))(data), read: () => state };
    }
    for (const [name, type, data] of steps) (tabs[name] ??= tab(name)).play(type, data);
    const states = Object.fromEntries(Object.entries(tabs).map(([name, { read }]) => [name, read()]));
    return { states, taken, stored: { ...localStorage } };
}"""
ME, OTHER = {"id": "me", "credits": 0}, {"id": "other", "credits": 0}
POST = {"key": "k", "chatSessionId": "c", "content": "hello", "begun": 5}
HALF = ("typed", {"chatSessionId": "c", "text": "half"})


@pytest.fixture(autouse=True)
def _empty(page: Page) -> Iterator[None]:
    yield
    page.evaluate("localStorage.clear()")


def play(page: Page, *steps: tuple[str, Any]) -> Any:
    return page.evaluate(PLAY, [["tab", *step] for step in steps])


def test_a_reload_brings_back_what_was_typed_and_what_was_not_sent(page: Page) -> None:
    play(page, ("signedIn", ME), HALF, ("draft.sending", POST | {"key": "k2", "begun": 6}), ("draft.sending", POST))
    state = play(page, ("signedIn", ME))["states"]["tab"]
    assert state["typed"] == {"c": "half"}
    assert [(post["key"], post["status"], post["passing"]) for post in state["drafts"]] == [
        ("k", "unsent", True),
        ("k2", "unsent", True),
    ]


def test_a_refused_post_comes_back_with_its_reason_and_does_not_go_out_by_itself(page: Page) -> None:
    refused = ("draft.unsent", {"key": "k", "problem": "No credits."})
    play(page, ("signedIn", ME), ("draft.sending", POST), refused)
    (post,) = play(page, ("signedIn", ME))["states"]["tab"]["drafts"]
    assert (post["problem"], post["passing"]) == ("No credits.", False)


def test_what_was_sent_or_emptied_is_kept_no_longer(page: Page) -> None:
    sent = ("draft.sending", POST), ("draft.discarded", "k")
    found = play(page, ("signedIn", ME), HALF, *sent, ("typed", {"chatSessionId": "c", "text": ""}))
    assert found["stored"] == {"holdfast.owner": "me"}


def test_the_next_user_finds_nothing(page: Page) -> None:
    play(page, ("signedIn", ME), HALF, ("draft.sending", POST))
    assert play(page, ("signedIn", OTHER))["stored"] == {"holdfast.owner": "other"}
    assert play(page, ("signedIn", OTHER), HALF, ("signedOut", None))["stored"] == {}


def test_a_session_that_ended_by_itself_leaves_the_words_for_its_own_user(page: Page) -> None:
    play(page, ("signedIn", ME), HALF, ("signed-out", None))
    assert play(page, ("signedIn", ME))["states"]["tab"]["typed"] == {"c": "half"}


def test_a_tab_whose_user_is_gone_writes_nothing(page: Page) -> None:
    late = ["old", "typed", {"chatSessionId": "c", "text": "late"}]
    found = page.evaluate(PLAY, [["old", "signedIn", ME], ["new", "signedIn", OTHER], late])
    assert found["stored"] == {"holdfast.owner": "other"}


def test_another_tab_of_the_user_types_and_sends(page: Page) -> None:
    steps = ("signedIn", ME), HALF, ("draft.sending", POST)
    typed, sent = ("heard", ["typed.c", "more"]), ("heard", ["post.k", None])
    state = play(page, *steps, typed, sent)["states"]["tab"]
    assert (state["typed"], state["drafts"]) == ({"c": "more"}, [])
    assert play(page, ("signedIn", ME), ("heard", ["typed.c", None]))["states"]["tab"]["typed"] == {}


def test_a_tab_gives_way_when_another_tab_has_another_user(page: Page) -> None:
    assert play(page, ("signedIn", ME), ("heard", ["owner", "other"]))["taken"] == ["tab"]
    assert play(page, ("signedIn", ME), ("heard", ["owner", None]))["taken"] == [], "a sign-out ends the session anyway"


def test_a_tab_without_a_user_hears_nothing(page: Page) -> None:
    found = play(page, ("signedIn", ME), ("signed-out", None), ("heard", ["typed.c", "secret"]))
    assert found["states"]["tab"]["typed"] == {}


def test_a_full_storage_is_said_and_harms_nothing(page: Page) -> None:
    huge = ("typed", {"chatSessionId": "c", "text": "x" * 6_000_000})
    state = play(page, ("signedIn", ME), huge)["states"]["tab"]
    assert "no room" in state["notice"]
    assert len(state["typed"]["c"]) == 6_000_000
