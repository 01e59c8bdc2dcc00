"""The page asks for a message that lacks text, until the text arrives or the server says that the message is gone."""

from playwright.sync_api import Page

# The page has a piece of a message that it never read. Each `GET` of the message ends with the next of `statuses`.
ASK = """async (statuses) => {
    const { createGaps } = await import("/client/wire/gaps.js");
    const { reduce, start } = await import("/client/state/store.js");
    const real = window.setTimeout;
    const calls = [];
    window.setTimeout = (call) => calls.push(call);
    let state = reduce(start, { type: "chat.opened", data: "chat" });
    const dispatch = (type, data) => (state = reduce(state, { type, data }));
    const piece = { messageId: "m", chatSessionId: "chat", attempt: 1, index: 0, text: "A piece" };
    dispatch("message.delta", piece);
    let asked = 0;
    const api = { message: async () => { throw { status: statuses[asked++] }; } };
    const fillGaps = createGaps({ api, dispatch, read: () => state });
    fillGaps();
    while (calls.length && asked < statuses.length) {
        await calls.shift()();
        await new Promise((resolve) => real(resolve));
    }
    fillGaps();
    for (const call of calls.splice(0)) await call();
    window.setTimeout = real;
    dispatch("message.delta", piece);
    return { asked, wanted: state.wanted, ahead: Object.keys(state.ahead) };
}"""


def test_a_message_that_is_gone_is_asked_for_no_more(page: Page) -> None:
    nothing_left: dict[str, list[str]] = {"wanted": [], "ahead": []}
    assert page.evaluate(ASK, [0, 503, 404]) == {"asked": 3} | nothing_left
    assert page.evaluate(ASK, [403]) == {"asked": 1} | nothing_left


def test_a_message_is_asked_for_again_while_the_server_does_not_answer(page: Page) -> None:
    assert page.evaluate(ASK, [0, 503]) == {"asked": 2, "wanted": ["m"], "ahead": ["m"]}
