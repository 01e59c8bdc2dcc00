"""The page asks for a reply that has been silent for a while."""

from playwright.sync_api import Page

WAITS = """async () => {
    const { createSync } = await import("/client/wire/sync.js");
    const real = window.setTimeout;
    const waits = [];
    let due;
    window.setTimeout = (call, wait) => {
        waits.push(wait);
        due = call;
    };
    const open = [{ status: "running" }];
    const state = { cursor: 1, openChat: "chat", loaded: true, later: [], wanted: [], messages: open };
    let asked = 0;
    const api = { sync: async () => ({ hasMore: false, cursor: ++asked }) };
    const sync = createSync({ api, dispatch: () => {}, read: () => state });
    for (let round = 0; round < 5; round++) await due();
    sync.heard("another chat");
    sync.heard("chat");
    await due();
    state.messages = [{ status: "completed" }];
    await due();
    state.behind = true;
    await due();
    window.setTimeout = real;
    return { waits, asked };
}"""


def test_a_silent_reply_is_asked_for_ever_more_seldom_until_something_is_heard(page: Page) -> None:
    found = page.evaluate(WAITS)
    silent, heard, done, behind = [5, 10, 20, 30, 30, 30], [5, 10], [5], [10]
    assert found["waits"] == [1000 * wait for wait in silent + heard + done + behind]
    assert found["asked"] == 7  # not for a final reply, but for changes that an earlier page announced
