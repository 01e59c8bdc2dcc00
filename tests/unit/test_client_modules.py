"""The page's modules in a real browser, served from the files with the page's real headers, and no server."""

import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page

from tests.services.client_page import ORIGIN, client_page

CHAT = "chat"
TEXT = [f"piece {index} " for index in range(12)]


@pytest.fixture(scope="module")
def page(browser: Browser) -> Iterator[Page]:
    with client_page(browser) as page:
        yield page


REDUCE = """async (events) => {
    const { reduce, start } = await import("/client/state/store.js");
    return events.map(([type, data]) => ({ type, data })).reduce(reduce, start);
}"""


def after(page: Page, *events: tuple[str, Any]) -> Any:
    """The state after these events, in a chat that is open."""
    return page.evaluate(REDUCE, [("chat.opened", CHAT), *events])


def message(**fields: Any) -> dict[str, Any]:
    basis = {"id": "m", "chatSessionId": CHAT, "messageType": "ai_report", "status": "running", "content": ""}
    return basis | {"position": 2, "attempt": 1, "seq": 10, "createdAt": "2026-01-01T00:00:00Z"} | fields


def delta(index: int, attempt: int = 1) -> tuple[str, Any]:
    data = {"messageId": "m", "chatSessionId": CHAT, "attempt": attempt, "index": index, "text": TEXT[index]}
    return "message.delta", data


def up_to(index: int, **fields: Any) -> dict[str, Any]:
    return message(content="".join(TEXT[:index]), nextIndex=index, **fields)


def shown(state: Any) -> str:
    (only,) = state["messages"]
    return str(only["content"])


def test_deltas_follow_each_other_and_a_repeated_one_is_ignored(page: Page) -> None:
    state = after(page, ("message.started", message()), delta(0), delta(1), delta(1), delta(0), delta(2))
    assert shown(state) == "".join(TEXT[:3])
    assert state["wanted"] == []


def test_a_gap_is_asked_for_and_what_came_after_it_is_kept(page: Page) -> None:
    known = [("message.started", message()), delta(0), delta(3), delta(4)]
    gap = after(page, *known)
    assert (shown(gap), gap["wanted"]) == (TEXT[0], ["m"])
    filled = after(page, *known, ("message.updated", up_to(3)), delta(5))
    assert (shown(filled), filled["wanted"], filled["ahead"]) == ("".join(TEXT[:6]), [], {})


def test_a_higher_attempt_clears_the_text_and_an_older_one_is_dropped(page: Page) -> None:
    state = after(page, ("message.started", message()), delta(0), delta(1), delta(0, attempt=2), delta(2))
    assert shown(state) == TEXT[0]
    later = after(page, ("message.started", message()), delta(0), ("message.started", message(attempt=2, seq=11)))
    assert shown(later) == ""


def test_text_that_waits_for_its_message_is_that_of_the_latest_attempt(page: Page) -> None:
    unknown = [delta(0), delta(0, attempt=2), delta(1), delta(1, attempt=2)]
    assert after(page, *unknown)["wanted"] == ["m"]
    assert shown(after(page, *unknown, ("message.updated", up_to(2)))) == "".join(TEXT[:2])
    behind_a_gap = [("message.started", message()), delta(3), ("message.started", message(attempt=2, seq=11))]
    state = after(page, *behind_a_gap)
    assert (shown(state), state["messages"][0]["attempt"], state["ahead"], state["wanted"]) == ("", 2, {}, [])


def test_an_answer_that_is_late_takes_no_text_away_and_reopens_nothing(page: Page) -> None:
    running = after(page, ("message.started", message()), delta(0), delta(1), ("message.updated", up_to(1)))
    assert shown(running) == "".join(TEXT[:2])
    back = ("message.updated", message(status="pending", seq=11))
    waiting = after(page, ("message.started", message()), back, ("message.started", message()))
    assert waiting["messages"][0]["status"] == "pending"
    done = ("message.completed", message(status="completed", content="all", seq=12))
    finished = after(page, done, ("message.updated", up_to(1)), delta(5))
    assert (shown(finished), finished["messages"][0]["status"]) == ("all", "completed")


def test_an_end_without_its_text_is_asked_for_only_if_some_is_missing(page: Page) -> None:
    end = message(status="completed", seq=12, nextIndex=2, contentOmitted=True)
    del end["content"]
    started = ("message.started", message())
    whole = after(page, started, delta(0), delta(1), ("message.completed", end))
    assert (shown(whole), whole["wanted"]) == ("".join(TEXT[:2]), [])
    lacking = after(page, started, delta(0), ("message.completed", end))
    assert lacking["wanted"] == ["m"]
    read = ("message.updated", message(status="completed", seq=12, content="all"))
    filled = after(page, started, delta(0), ("message.completed", end), read, ("message.completed", end))
    assert (shown(filled), filled["wanted"]) == ("all", [])


@pytest.mark.parametrize("seed", range(30))
def test_any_order_of_deltas_and_answers_ends_with_the_same_text(page: Page, seed: int) -> None:
    chance = random.Random(seed)
    events: list[tuple[str, Any]] = [delta(chance.randrange(12)) for _ in range(30)]
    events += [("message.updated", up_to(chance.randrange(12))) for _ in range(4)]
    events += [("message.updated", message(status="pending", attempt=0, seq=9))]
    chance.shuffle(events)
    assert shown(after(page, *events, ("message.updated", up_to(11)), delta(11))) == "".join(TEXT)


DRAFT = ("draft.sending", {"key": "k", "chatSessionId": CHAT, "content": "hello"})
MINE = message(id="mine", messageType="user", status="completed", content="hello", position=1, attempt=0, seq=8)
ACCEPTED = (
    "draft.accepted",
    {"key": "k", "message": MINE, "reply": message(seq=9), "credits": {"balance": 7, "held": 3}},
)


def test_a_post_is_seen_once_whichever_of_its_event_and_its_answer_comes_first(page: Page) -> None:
    overtaken = after(page, DRAFT, ("message.created", MINE))
    assert [draft["echoed"] for draft in overtaken["drafts"]] == [True]
    for events in (ACCEPTED, ("message.created", MINE)), (("message.created", MINE), ACCEPTED):
        state = after(page, DRAFT, *events)
        assert [one["id"] for one in state["messages"]] == ["mine", "m"]
        assert state["drafts"] == []


def test_a_post_that_was_not_sent_stays_with_its_reason(page: Page) -> None:
    (draft,) = after(page, DRAFT, ("draft.unsent", {"key": "k", "problem": "No credits."}))["drafts"]
    assert (draft["status"], draft["problem"], draft["content"]) == ("unsent", "No credits.", "hello")


def test_a_balance_that_is_late_is_ignored(page: Page) -> None:
    newer = ("credits.changed", {"balance": 10, "held": 0, "seq": 20})
    assert after(page, DRAFT, newer, ACCEPTED)["credits"]["balance"] == 10
    assert after(page, newer, DRAFT, ACCEPTED)["credits"]["balance"] == 10


def chat(name: str, day: int, seq: int) -> dict[str, Any]:
    return {"id": name, "title": name, "lastActiveAt": f"2026-01-{day:02}T00:00:00Z", "seq": seq}


def test_a_message_lifts_its_chat_and_a_deleted_chat_does_not_come_back(page: Page) -> None:
    listed = anew(2, chat("new", 3, 2), chat("old", 2, 1))
    lifts = ("message.completed", message(chatSessionId="old", status="completed", createdAt="2026-01-09T00:00:00Z"))
    state = after(page, listed, lifts)
    assert [one["id"] for one in state["chats"]] == ["old", "new"]
    assert state["messages"] == [], "it belongs to a chat that is not open"
    gone = after(page, listed, ("chat.deleted", {"id": "old", "seq": 5}), ("chat.updated", chat("old", 9, 4)))
    assert [one["id"] for one in gone["chats"]] == ["new"]


PAUSED = """async (events) => {
    const { isPaused } = await import("/client/state/chats.js");
    const { reduce, start } = await import("/client/state/store.js");
    return isPaused(events.map(([type, data]) => ({ type, data })).reduce(reduce, start));
}"""


def test_a_parked_chat_is_paused_while_messages_wait_and_until_ones_own_next_message(page: Page) -> None:
    def paused(*events: tuple[str, Any]) -> bool:
        return bool(page.evaluate(PAUSED, [("chat.opened", CHAT), *events]))

    parked = ("chat.updated", chat(CHAT, 1, 5) | {"parked": True})
    waiting = ("message.created", message(status="pending", seq=4))
    old, new = MINE | {"seq": 3}, MINE | {"seq": 7, "createdAt": "2026-01-02T00:00:00Z"}
    assert not paused(parked)
    assert not paused(waiting)
    assert paused(parked, waiting)
    assert paused(parked, waiting, ("message.updated", old))
    assert not paused(parked, waiting, ("message.created", new))
    assert not paused(waiting, ("message.created", new), ("chat.updated", chat(CHAT, 1, 8) | {"parked": False}))
    assert paused(waiting, ("message.created", new), ("chat.updated", chat(CHAT, 1, 9) | {"parked": True}))
    late = [("chat.created", chat(CHAT, 1, 2)), waiting, ("message.created", new), parked]
    assert not paused(*late)


def anew(cursor: int, *chats: Any, messages: Any = None) -> tuple[str, Any]:
    """The first look, or one after too long."""
    return "anew", {"cursor": cursor, "chats": {"items": chats, "nextCursor": None}, "messages": messages}


def heard(name: str, data: Any) -> tuple[str, Any]:
    return "event", {"name": name, "data": data}


def test_what_is_read_anew_takes_the_place_of_all_that_was_known(page: Page) -> None:
    before = [("chat.created", chat("deleted elsewhere", 2, 999)), ("message.updated", message(id="gone", seq=999))]
    read = anew(5, chat("kept", 1, 1), messages={"items": [message(content="Hi")], "nextCursor": None})
    state = after(page, *before, heard("credits.changed", {"balance": 1, "held": 0, "seq": 4}), read)
    assert [one["id"] for one in state["chats"]] == ["kept"]
    assert [one["id"] for one in state["messages"]] == ["m"]
    assert (state["cursor"], state["later"], state["gone"]) == (5, [], [])


def test_a_number_that_is_missing_shows_and_its_late_event_or_a_page_closes_the_gap(page: Page) -> None:
    known = [anew(5), heard("chat.created", chat("six", 1, 6)), heard("chat.created", chat("eight", 1, 8))]
    gap = after(page, *known)
    assert (gap["cursor"], gap["later"]) == (6, [8])
    late = after(page, *known, heard("chat.created", chat("seven", 1, 7)), heard("chat.created", chat("six", 1, 6)))
    assert (late["cursor"], late["later"]) == (8, [])
    missed = {"chats": [chat("seven", 1, 7)], "messages": [], "credits": {"balance": 3, "held": 0}, "cursor": 7}
    filled = after(page, *known, ("synced", missed))
    assert (filled["cursor"], filled["later"], len(filled["chats"])) == (8, [], 3)
    assert filled["credits"] == {"balance": 3, "held": 0, "seq": 7}


def test_a_page_of_changes_takes_away_what_is_gone(page: Page) -> None:
    gone = {"id": "m", "chatSessionId": CHAT, "seq": 11, "deleted": True}
    missed = {"chats": [{"id": "old", "seq": 12, "deleted": True}], "messages": [gone], "credits": {}, "cursor": 12}
    state = after(page, anew(5, chat("old", 1, 1)), ("message.started", message()), ("synced", missed), delta(0))
    assert (state["chats"], state["messages"], state["wanted"]) == ([], [], [])


def test_the_end_of_a_reply_makes_its_chat_unread_and_ones_own_post_does_not(page: Page) -> None:
    started = message(chatSessionId="other", seq=11)
    done = message(chatSessionId="other", status="completed", seq=12)
    listed = anew(5, chat("other", 1, 5) | {"unread": False})

    def unread(*events: tuple[str, Any]) -> list[Any]:
        (only,) = after(page, listed, *events)["chats"]
        return [only["unread"], only["seq"]]

    assert unread(("message.started", started)) == [False, 5]
    assert unread(("message.completed", done), ("message.started", started)) == [True, 12]
    mine = message(id="mine", chatSessionId="other", messageType="user", status="completed", seq=13)
    assert unread(("message.completed", done), ("message.created", mine)) == [False, 13]
    seen = chat("other", 1, 14) | {"unread": False}
    assert unread(("message.completed", done), ("chat.updated", seen), ("message.completed", done)) == [False, 14]


def test_text_of_a_reply_that_waits_again_is_no_longer_taken(page: Page) -> None:
    back = ("message.updated", message(status="pending", seq=11, content=TEXT[0]))
    state = after(page, ("message.started", message()), delta(0), back, delta(1), delta(2))
    assert (shown(state), state["wanted"]) == (TEXT[0], [])
    again = after(page, ("message.started", message()), delta(0), back, delta(0, attempt=2), delta(1))
    assert (shown(again), again["messages"][0]["attempt"], again["wanted"]) == (TEXT[0], 2, [])


HOSTILE = """<img src=x onerror="pwned=1"> <script>pwned=2</script> <svg onload="pwned=3"><a xlink:href=x>

![pic](http://elsewhere.test/a.png?d=secret) ![ref][r] [![x](http://elsewhere.test/b.png)](http://elsewhere.test)
[a](javascript:pwned=5) [b](data:text/html,<script>pwned=6</script>) [c](&#106;avascript:pwned=7) [d](/auth)
[e](http://elsewhere.test "t\\" onmouseover=pwned=8") <javascript:pwned=9> [f](vbscript:x) [g](JaVaScRiPt:pwned=10)
<a href="javascript:pwned=11" onclick="pwned=12">x</a> <iframe src=//elsewhere.test></iframe> <base href=//x.test>
<link rel=stylesheet href=//elsewhere.test/s.css><style>@import url(//elsewhere.test/i.css)</style><form><input>

```html"><img src=x onerror=pwned=13>
<img src=x onerror=pwned=14></code></pre><script>pwned=15</script>
```
<math><mtext><table><mglyph><style><!--</style><img title="--&gt;&lt;img src=1 onerror=pwned=16&gt;">
| a | b |
|--|:-:|
| <img src=x onerror=pwned=17> | `<img src=x onerror=pwned=18>` |

<details open ontoggle=pwned=19><video><source onerror=pwned=20></video><template><img src=x onerror=pwned=21>

[r]: http://elsewhere.test/c.png?d=secret
"""

# Renders the text as it grows, into the page, and tells every element and attribute that came of it.
RENDER = """async (text) => {
    const { render } = await import("/client/views/markdown.js");
    const seen = new Set();
    for (let end = 1; end <= text.length; end++) {
        document.body.replaceChildren(render(text.slice(0, end)));
        for (const element of document.body.querySelectorAll("*")) {
            seen.add(element.localName);
            for (const { name, value } of element.attributes) seen.add(`${element.localName} ${name}=${value}`);
        }
    }
    await new Promise((resolve) => setTimeout(resolve, 100));
    return { seen: [...seen], pwned: window.pwned ?? null };
}"""
ELEMENTS = {"a", "br", "code", "em", "p", "pre", "strong", "table", "tbody", "td", "th", "thead", "tr"}


def test_hostile_text_is_inert_however_far_it_has_come(page: Page) -> None:
    requests: list[str] = []
    page.on("request", lambda request: requests.append(request.url))
    result = page.evaluate(RENDER, HOSTILE)
    elements = {one for one in result["seen"] if " " not in one}
    attributes = {one.split(" ", 1)[1] for one in result["seen"] if " " in one}
    links = {one.removeprefix("href=") for one in attributes if one.startswith("href=")}
    assert result["pwned"] is None
    assert elements <= ELEMENTS
    assert elements >= {"table", "pre", "a"}, "the markdown itself is still rendered"
    assert attributes - {f"href={link}" for link in links} == {
        "target=_blank",
        "rel=noopener noreferrer nofollow",
    }
    assert all(link.startswith(("http://", "https://")) for link in links), links
    assert {url for url in requests if not url.startswith(ORIGIN)} == set()


# As if the sanitiser had a hole.
BREAK_OUT = """async () => {
    const image = new Image();
    const loaded = new Promise((resolve) => (image.onload = image.onerror = ({ type }) => resolve(type)));
    image.src = "http://elsewhere.test/leak.png";
    document.body.append(image);
    try {
        document.body.innerHTML = "<b>x</b>";
    } catch (refusal) {
        return [await loaded, refusal.name];
    }
}"""


def test_the_policy_holds_where_the_sanitiser_would_not(page: Page) -> None:
    with page.expect_event("requestfailed") as failed:
        assert page.evaluate(BREAK_OUT) == ["error", "TypeError"]
    assert failed.value.failure == "csp"


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
    source = (Path(__file__).parents[2] / "api" / "client" / "wire" / "socket.js").read_text()
    body = FAKE_IO + source.replace('import { io } from "/vendor/socket.io.js";', "")
    page.route("**/wire/socket.js?faked", lambda route: route.fulfill(content_type="text/javascript", body=body))
    refresh = ["auth.refresh", {"token": "fresh"}]
    assert page.evaluate(RENEWED, {"ok": True}) == [refresh]
    assert page.evaluate(RENEWED, {"code": "unauthenticated"}) == [refresh, ["disconnected"], ["connected"]]


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
    window.setTimeout = real;
    return { waits, asked };
}"""


def test_a_silent_reply_is_asked_for_ever_more_seldom_until_something_is_heard(page: Page) -> None:
    found = page.evaluate(WAITS)
    silent, heard, done = [5, 10, 20, 30, 30, 30], [5, 10], [5]
    assert found["waits"] == [1000 * wait for wait in silent + heard + done]
    assert found["asked"] == 6  # what is final is not asked for
