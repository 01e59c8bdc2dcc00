"""The client protocol kit. Its scripts agree with the product, and the reference client's store passes them."""

import json
import os
from pathlib import Path

import pytest
from playwright.sync_api import Page

from shared.wire.events import CATALOGUE
from tests.contracts.client_kit import scripts
from tests.contracts.client_kit.recorder import Recorder, named, timeless, written

KIT = Path(__file__).parents[1] / "client_kit"


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
        chats: state.chats.map(({ id, title, unread, parked, seq }) => ({ id, title, unread, parked, seq })),
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
