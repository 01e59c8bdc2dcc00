"""The client protocol kit. Its scripts agree with the product, and the reference client's store passes them."""

import json
import os
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from playwright.sync_api import Browser, Page

from shared.core import current_link
from shared.settings import Settings
from shared.wire.events import CATALOGUE
from tests.channel import Channel
from tests.contracts.client_kit import scripts
from tests.contracts.client_kit.recorder import Recorder, named, timeless, written
from tests.contracts.client_kit.story import Story
from tests.factories import a_user, signed_in
from tests.services.client_page import client_page

KIT = Path(__file__).parents[1] / "client_kit"


@pytest.fixture
def recorder(app: Flask, core: Flask, settings: Settings) -> Iterator[Recorder]:
    user = a_user()
    with Channel(current_link(), settings.redis_url) as channel:
        yield Recorder(signed_in(app, user), user, channel)


@pytest.fixture(scope="module")
def page(browser: Browser) -> Iterator[Page]:
    with client_page(browser) as page:
        yield page


@pytest.mark.parametrize("name", scripts.names())
def test_a_script_is_what_the_product_says(name: str, recorder: Recorder) -> None:
    file = KIT / f"{name}.json"
    recorded = written(named(scripts.record(name, recorder)))
    if os.environ.get("RECORD"):
        file.write_text(recorded)
    assert timeless(file.read_text()) == timeless(recorded), "RECORD=1 writes the kit anew"


def test_there_is_no_other_script() -> None:
    assert {file.stem for file in KIT.glob("*.json")} == set(scripts.names())


@pytest.mark.parametrize("name", scripts.names())
def test_a_script_holds_nothing_undeclared(name: str) -> None:
    for step in json.loads((KIT / f"{name}.json").read_text())["steps"]:
        if "event" in step:
            assert step["data"].keys() <= CATALOGUE[step["event"]].fields


# Plays a script in any client. Only `show` knows the client's own state.
PLAY = """async ({ first, steps, screen }) => {
    const { reduce, start } = await import("/client/state/store.js");
    const shown = [];
    let state = start;
    const take = (type, data) => (state = reduce(state, { type, data }));
    const anew = ({ open, ...read }) => {
        if (state.openChat !== open) take("chat.opened", open);
        take("anew", read);
    };
    const show = () => ({
        chats: state.chats.map(({ id, title, unread }) => ({ id, title, unread })),
        messages: state.messages.map(({ id, status, content }) => ({ id, status, content })),
        credits: { balance: state.credits.balance, held: state.credits.held },
        asks: [...(state.later.length ? ["sync"] : []), ...state.wanted],
    });
    anew(first);
    for (const step of [...steps, { screen }]) {
        if (step.event) take("event", { name: step.event, data: step.data });
        else if (step.anew) anew(step.anew);
        else if (step.sync) take("synced", step.sync);
        else if (step.message) take("message.updated", step.message);
        else shown.push([show(), step.screen]);
    }
    return shown;
}"""


@pytest.mark.parametrize("name", scripts.names())
def test_the_reference_client_passes(name: str, page: Page) -> None:
    for shown, right in page.evaluate(PLAY, json.loads((KIT / f"{name}.json").read_text())):
        assert shown == right


CONVERGE = """async ({ first, orders, pages, messages }) => {
    const { reduce, start } = await import("/client/state/store.js");
    return orders.map((order) => {
        let state = reduce(start, { type: "chat.opened", data: first.open });
        const take = (type, data) => (state = reduce(state, { type, data }));
        take("anew", first);
        for (const { event, data } of order) take("event", { name: event, data });
        take("synced", pages[state.cursor]);
        state.wanted.forEach((id) => take("message.updated", messages[id]));
        const { chats, messages: rows, credits, cursor, later, wanted } = state;
        return {
            chats: chats.map(({ id, title, unread }) => ({ id, title, unread })),
            messages: rows.map(({ id, status, content }) => ({ id, status, content })),
            credits: { balance: credits.balance, held: credits.held },
            cursor, later, wanted,
        };
    });
}"""


def test_any_subset_order_and_repetition_followed_by_one_sync_converges(recorder: Recorder, page: Page) -> None:
    story = Story(recorder)
    newest = recorder.me.get("/sync").json["cursor"]
    pages = {after: recorder.me.get(f"/sync?after={after}&limit=200").json for after in range(newest + 1)}
    asked = {"first": story.first, "pages": pages, "messages": story.answers()}
    orders = [some_of(story.heard, random.Random(seed)) for seed in range(300)]
    right = recorder.screen(story.chat)
    del right["asks"]
    for order, found in zip(orders, page.evaluate(CONVERGE, asked | {"orders": orders}), strict=True):
        assert found == right | {"cursor": newest, "later": [], "wanted": []}, [step["event"] for step in order]


def some_of(heard: list[Any], chance: random.Random) -> list[Any]:
    """Lose some steps, repeat some, and move them: by a few places, or anywhere."""
    kept = [step for step in heard if chance.random() < chance.choice([0.3, 0.7, 0.95])]
    kept += chance.sample(kept, len(kept) // 3)
    if chance.random() < 0.5:
        chance.shuffle(kept)
        return kept
    return sorted(kept, key=lambda step: heard.index(step) + chance.uniform(0, 6))
