"""The page's socket takes a new access token."""

from pathlib import Path

from playwright.sync_api import Page

CLIENT = Path(__file__).parents[3] / "api" / "client"

FAKE_IO = """
function io(url, options) {
    window.said = [];
    return {
        connected: true,
        on() {}, onAny() {},
        emit: (name, data, answered) => { window.said.push([name, data]); answered(window.answer); },
        disconnect() { window.said.push(["disconnected"]); return this; },
        connect() { window.said.push(["connected"]); return this; },
    };
}
"""
RENEWED = """async (answer) => {
    window.answer = answer;
    const { openSocket } = await import("/client/wire/socket.js?faked");
    const socket = openSocket({ url: "x", session: { fresh: async () => "fresh" }, heard() {} });
    await socket.renew();
    return window.said;
}"""


def test_a_new_token_renews_the_living_socket_and_if_refused_a_new_one_is_made(page: Page) -> None:
    source = (CLIENT / "wire" / "socket.js").read_text()
    body = FAKE_IO + source.replace('import { io } from "/vendor/socket.io.js";', "")
    page.route("**/wire/socket.js?faked", lambda route: route.fulfill(content_type="text/javascript", body=body))
    refresh = ["auth.refresh", {"token": "fresh"}]
    assert page.evaluate(RENEWED, {"ok": True}) == [refresh]
    assert page.evaluate(RENEWED, {"code": "unauthenticated"}) == [refresh, ["disconnected"], ["connected"]]
