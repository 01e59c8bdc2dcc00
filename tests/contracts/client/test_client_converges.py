"""The reference client's store ends as the server says, whatever is lost, doubled, late or out of order."""

import random
from typing import Any

from playwright.sync_api import Page

from tests.contracts.client_kit.recorder import Recorder
from tests.contracts.client_kit.story import Story

ORDERS = 150

# Plays each order, which names events by their place in the day. `null` stands for a page of changes. A client that
# heard everything asks only for what it misses. Any other client asks once for the changes, and then for messages.
# Returns the different endings, each with the place of one order that led to it.
CONVERGE = """async ({ first, heard, orders, pages, messages }) => {
    const { reduce, start } = await import("/client/state/store.js");
    const end = (order) => {
        let state = reduce(start, { type: "chat.opened", data: first.open });
        const take = (type, data) => (state = reduce(state, { type, data }));
        const event = ({ event: name, data }) => take("event", { name, data });
        const isLossy = new Set(order.filter((place) => place !== null)).size < heard.length;
        take("anew", first);
        order.forEach((place) => (place === null ? take("synced", pages[state.cursor]) : event(heard[place])));
        if (isLossy || state.later.length) take("synced", pages[state.cursor]);
        for (const id of state.wanted) {
            messages[id] ? take("message.updated", messages[id]) : take("message.deleted", { id });
        }
        const { chats, messages: rows, credits, cursor, later, wanted } = state;
        return {
            chats: chats.map(({ since, ...chat }) => chat),
            messages: rows.map(({ id, status, content }) => ({ id, status, content })),
            credits: { balance: credits.balance, held: credits.held },
            cursor, later, wanted,
        };
    };
    const endings = new Map(orders.map((order, place) => [JSON.stringify(end(order)), place]));
    return [...endings].map(([ending, place]) => [JSON.parse(ending), place]);
}"""


def test_any_order_loss_and_repetition_of_a_day_followed_by_one_sync_ends_as_the_server_says(
    recorder: Recorder, page: Page
) -> None:
    story = Story(recorder)
    newest = recorder.me.get("/sync").json["cursor"]
    pages = {after: recorder.me.get(f"/sync?after={after}&limit=200").json for after in range(newest + 1)}
    asked = {"first": story.first, "heard": story.heard, "pages": pages, "messages": story.answers()}
    orders = [some_order(len(story.heard), random.Random(seed)) for seed in range(ORDERS)]
    right = recorder.screen(story.chat) | {"chats": recorder.me.get("/chats").json["items"]}
    right |= {"cursor": newest, "later": [], "wanted": []}
    del right["asks"]
    for found, seed in page.evaluate(CONVERGE, asked | {"orders": orders}):
        assert found == right, f"seed {seed}: {[story.name(place) for place in orders[seed]]}"


def some_order(length: int, chance: random.Random) -> list[Any]:
    """Lose some events or none, repeat some, move them by a few places or anywhere, and read the changes in between."""
    share = chance.choice([0.3, 0.7, 0.95, 1.0])
    kept: list[Any] = [place for place in range(length) if chance.random() < share]
    kept += chance.sample(kept, len(kept) // 3)
    if chance.random() < 0.5:
        chance.shuffle(kept)
    else:
        kept.sort(key=lambda place: place + chance.uniform(0, 6))
    if chance.random() < 0.3:
        kept.insert(chance.randrange(len(kept) + 1), None)
    return kept
