"""The page reads places in the queue while something waits, and the versions of messages from the history."""

from playwright.sync_api import Page

PLACES = """async () => {
    const { createPlaces } = await import("/client/wire/reading/places.js");
    const real = window.setTimeout;
    const waits = [];
    let due = null;
    window.setTimeout = (call, wait) => {
        waits.push(wait);
        due = call;
    };
    const reply = { id: "r", messageType: "ai_report", status: "pending", attempt: 0, position: 1 };
    const state = { chats: [], openChat: "chat", messages: [] };
    const read = [];
    const api = { queue: async () => ({ items: [reply], nextCursor: null }) };
    const places = createPlaces({ api, dispatch: (type, data) => read.push(data.items.length), read: () => state });
    const look = (...messages) => {
        state.messages = messages;
        places.look();
    };
    look({ ...reply, status: "running" });
    look(reply);
    places.look();
    await due();
    look({ ...reply, position: 3 });
    look({ ...reply, status: "completed" });
    window.setTimeout = real;
    return { waits, read };
}"""


def test_places_are_read_soon_after_a_change_and_again_while_something_waits(page: Page) -> None:
    assert page.evaluate(PLACES) == {"waits": [400, 5000, 400], "read": [1]}


VERSIONS = """async (statuses) => {
    const { createVersions } = await import("/client/wire/reading/versions.js");
    const { reduce, start } = await import("/client/state/store.js");
    const real = window.setTimeout;
    const calls = [];
    const waits = [];
    window.setTimeout = (call, wait) => {
        waits.push(wait);
        calls.push(call);
    };
    let state = { ...reduce(start, { type: "chat.opened", data: "chat" }), unversioned: ["one", "two"] };
    const dispatch = (type, data) => (state = reduce(state, { type, data }));
    const asked = [];
    const versions = async (chatId, id) => {
        asked.push(id);
        const status = statuses.shift();
        if (status !== 200) throw { status };
        return { items: [], nextCursor: null };
    };
    const { look } = createVersions({ api: { versions }, dispatch, read: () => state });
    await look();
    while (calls.length) await calls.shift()();
    window.setTimeout = real;
    return { asked, waits, left: state.unversioned };
}"""


def test_versions_are_read_one_message_after_the_other_and_again_after_a_failure(page: Page) -> None:
    found = page.evaluate(VERSIONS, [503, 200, 404])
    assert found == {"asked": ["one", "one", "two"], "waits": [5000, 0, 0], "left": []}


QUEUE = """async ([action, id]) => {
    const actions = await import("/client/actions/queue.js");
    const message = (id, fields) => ({ id, version: 1, attempt: 0, status: "completed", seq: 1, ...fields });
    const pair = (name, fields) => [
        message(name, { messageType: "user" }),
        message(`to ${name}`, { messageType: "ai_report", replyTo: name, status: "pending", ...fields }),
    ];
    const waiting = [...pair("a"), ...pair("b"), message("later", {
        ...{ messageType: "ai_report", replyTo: "old", status: "pending", version: 2, seq: 9 },
    })];
    const messages = [...pair("now", { status: "running", attempt: 1 }), ...waiting];
    const calls = [];
    const api = new Proxy({ queue: async () => ({ items: waiting, nextCursor: null }) }, {
        get: (own, name) => own[name] ?? (async (...values) => calls.push([name, ...values])),
    });
    const page = { api, dispatch: () => {}, read: () => ({ openChat: "chat", messages }), settled: (answer) => answer };
    await actions[action](page, id);
    return calls;
}"""


def test_what_waits_is_named_and_ordered_as_the_server_knows_it(page: Page) -> None:
    def called(action: str, reply: str) -> object:
        return page.evaluate(QUEUE, [action, reply])

    assert called("moveUp", "to b") == [["reorder", "chat", ["b", "a", "later"], 9]]
    assert called("moveDown", "to a") == [["reorder", "chat", ["b", "a", "later"], 9]]
    assert called("moveUp", "to a") == [["reorder", "chat", ["a", "b", "later"], 9]]
    assert called("dequeue", "to b") == [["dequeue", "chat", "b"]]
    assert called("dequeue", "later") == [["dequeue", "chat", "later"]]
    now = [["reorder", "chat", ["later", "a", "b"], 9], ["stop", "chat", "to now"], ["resume", "chat"]]
    assert called("sendNow", "later") == now


ROWS = """async (failures) => {
    const { createRows } = await import("/client/wire/reading/rows.js");
    const { reduce, start } = await import("/client/state/store.js");
    const real = window.setTimeout;
    const calls = [];
    const asked = [];
    window.setTimeout = (call, wait) => calls.push([call, wait]);
    let state = { ...reduce(start, { type: "chat.opened", data: "far" }), cursor: 1, archiveShown: true };
    const dispatch = (type, data) => (state = reduce(state, { type, data }));
    const answer = async (name, found) => {
        asked.push(name);
        if (failures.length) throw { status: failures.shift() };
        return found;
    };
    const api = {
        chat: (id) => answer(id, { id, title: "Far", seq: 1 }),
        archived: () => answer("archive", { items: [{ id: "old", archived: true, seq: 1 }], nextCursor: null }),
    };
    const { look } = createRows({ api, dispatch, read: () => state });
    const waits = [];
    await look();
    while (calls.length) {
        const [call, wait] = calls.shift();
        waits.push(wait);
        await call();
        await new Promise((resolve) => real(resolve));
    }
    window.setTimeout = real;
    return { asked, waits, open: state.openChat, chats: state.chats.map(({ id }) => id).sort() };
}"""


def test_the_row_of_the_open_chat_and_the_archive_are_read_if_the_list_lacks_them(page: Page) -> None:
    read = {"open": "far", "chats": ["far", "old"]}
    assert page.evaluate(ROWS, []) == {"asked": ["far", "archive"], "waits": [0, 0], **read}
    assert page.evaluate(ROWS, [503]) == {"asked": ["far", "far", "archive"], "waits": [5000, 0, 0], **read}
    gone = page.evaluate(ROWS, [404])
    assert (gone["asked"], gone["open"]) == (["far", "archive"], None)
