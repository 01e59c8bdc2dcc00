"""A lost answer leaves no second chat."""

from typing import Any

from playwright.sync_api import Page

from tests.unit.client.story import anew, chat

# Makes a chat twice. The first answer is lost, and `synced` are the rows that the server has changed since.
PLAY = """async ([first, synced, filled]) => {
    const { createChatMaker } = await import("/client/wire/new-chat.js");
    const { reduce, start } = await import("/client/state/store.js");
    let state = reduce(reduce(start, { type: first[0], data: first[1] }), { type: "chat.opened", data: "a" });
    let asked = 0;
    const dispatch = (type, data) => (state = reduce(state, { type, data }));
    const createChat = async () => {
        asked += 1;
        if (asked === 1) throw new Error("lost");
        return { id: "later", seq: 30 };
    };
    const api = { createChat, messages: async (id) => ({ items: filled.includes(id) ? [{}] : [] }) };
    const rows = { chats: synced, messages: [], credits: { balance: 1 }, cursor: 20 };
    const catchUp = async () => dispatch("synced", rows);
    const makeChat = createChatMaker({ api, catchUp, dispatch, read: () => state });
    await makeChat().catch(() => {});
    return { made: await makeChat(), asked };
}"""


def play(page: Page, *synced: Any, filled: Any = ()) -> Any:
    known = anew(10, chat("a", 1, 9) | {"titleSource": "default"})
    return page.evaluate(PLAY, [known, synced, filled])


def test_the_chat_of_a_lost_answer_is_taken(page: Page) -> None:
    made = chat("made", 2, 11) | {"titleSource": "default"}
    assert play(page, made) == {"made": "made", "asked": 1}


def test_no_other_chat_is_taken(page: Page) -> None:
    named, used = chat("named", 2, 11) | {"titleSource": "user"}, chat("used", 2, 12) | {"titleSource": "default"}
    assert play(page, named, used, filled=["used"]) == {"made": "later", "asked": 2}
