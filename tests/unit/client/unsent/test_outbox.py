"""Posts go out in their order, each once, and again when the connection returns."""

from typing import Any

from playwright.sync_api import Page

# Sends the texts of `sent`, and then each of `later`. An answer of 0 is a lost connection; the last answer repeats.
# Pauses take no time. Those from round to round are counted, and a round is begun only by `resend`.
PLAY = """async ({ answers, sent, chat = "chat", kept = [], later = [], leave }) => {
    const { createOutbox } = await import("/client/wire/outbox.js");
    const { reduce, start } = await import("/client/state/store.js");
    const real = window.setTimeout;
    const rounds = [];
    window.setTimeout = (call, wait) => (wait > 10_000 ? rounds.push(call) : real(call, 0));
    let state = reduce(start, { type: "kept", data: { typed: {}, drafts: kept } });
    const calls = [];
    const dispatch = (type, data) => (state = reduce(state, { type, data }));
    const api = { post: async (chat, content, key) => {
        calls.push([content, key, chat]);
        const status = answers.length > 1 ? answers.shift() : answers[0];
        if (leave === calls.length) dispatch("signed-out");
        if (status !== 202) throw Object.assign(new Error("no"), { status });
        const row = { id: key, chatSessionId: chat, seq: 1, status: "completed" };
        return { message: row, reply: { ...row, id: key + "r" }, credits: { balance: 1, held: 0 } };
    } };
    let made = 0;
    const makeChat = async () => (dispatch("chat.begun", `new ${++made}`), "new 1");
    const outbox = createOutbox({ api, makeChat, dispatch, read: () => state });
    await Promise.all(sent.map((content) => outbox.send(chat, content)));
    const then = state;
    outbox.resend();
    for (const content of later) await outbox.send("chat", content);
    await new Promise((resolve) => real(resolve, 50));
    window.setTimeout = real;
    return { calls, then, state, rounds: rounds.length };
}"""
LOST, DONE = 0, 202


def play(page: Page, answers: list[int], sent: list[str], **more: Any) -> Any:
    return page.evaluate(PLAY, {"answers": answers, "sent": sent, **more})


def test_a_lost_connection_leaves_posts_unsent_and_its_return_sends_them_in_order_with_their_keys(page: Page) -> None:
    found = play(page, [LOST] * 5 + [DONE], ["one", "two"])
    assert [(post["content"], post["status"]) for post in found["then"]["drafts"]] == [
        ("one", "unsent"),
        ("two", "unsent"),
    ]
    assert [content for content, *_ in found["calls"]] == ["one"] * 6 + ["two"]
    assert len({key for _, key, _ in found["calls"]}) == 2
    assert found["state"]["drafts"] == []
    assert found["rounds"] == 1


def test_a_new_post_waits_for_the_unsent_ones_before_it(page: Page) -> None:
    found = play(page, [LOST] * 5 + [DONE], ["one"], later=["two"])
    assert [content for content, *_ in found["calls"]][-2:] == ["one", "two"]


def test_a_refused_post_waits_for_its_user(page: Page) -> None:
    found = play(page, [402, DONE], ["one", "two"])
    assert [content for content, *_ in found["calls"]] == ["one", "two"]
    assert [post["content"] for post in found["state"]["drafts"]] == ["one"]


def test_a_post_whose_key_the_server_may_have_forgotten_waits_for_its_user(page: Page) -> None:
    old = {"key": "k", "chatSessionId": "chat", "content": "old", "begun": 0, "passing": True}
    found = play(page, [DONE], [], kept=[old])
    assert found["calls"] == []
    assert "arrived" in found["state"]["drafts"][0]["problem"]


def test_a_post_is_given_up_when_its_user_signs_out(page: Page) -> None:
    assert len(play(page, [LOST], ["one"], leave=2)["calls"]) == 2
    assert play(page, [DONE], ["one"], leave=1)["state"]["credits"] is None


def test_posts_without_a_chat_go_to_one_new_chat(page: Page) -> None:
    found = play(page, [DONE], ["one", "two"], chat=None)
    assert [(content, chat) for content, _, chat in found["calls"]] == [("one", "new 1"), ("two", "new 1")]
