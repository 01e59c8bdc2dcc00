"""The page offers each message its actions: by its state, its place in the chat, and its versions."""

from typing import Any

from playwright.sync_api import Page

from tests.unit.client.story import CHAT, chat, message

ROWS = """async (events) => {
    const { rowsOf } = await import("/client/state/rows.js");
    const { reduce, start } = await import("/client/state/store.js");
    const rows = rowsOf(events.map(([type, data]) => ({ type, data })).reduce(reduce, start));
    return Object.fromEntries(rows.map(({ message, ...row }) => [row.id, row]));
}"""
QUIET = ["copy", "remove"]


def rows(page: Page, *messages: Any, events: Any = ()) -> Any:
    found = [("message.updated", one) for one in messages]
    return page.evaluate(ROWS, [("chat.opened", CHAT), *found, *events])


def question(name: str, position: int, **fields: Any) -> dict[str, Any]:
    own = {"messageType": "user", "status": "completed", "content": name, "position": position, "version": 1}
    return message(id=name, seq=position, **(own | fields))


def reply(name: str, position: int, **fields: Any) -> dict[str, Any]:
    own = {"replyTo": name, "status": "completed", "content": "text", "position": position, "version": 1}
    return message(**({"id": f"to {name}", "seq": position} | own | fields))


def pair(name: str, position: int, **fields: Any) -> list[dict[str, Any]]:
    return [question(name, position), reply(name, position + 1, **fields)]


def test_the_last_message_can_be_edited_and_an_earlier_one_goes_on_in_a_new_chat(page: Page) -> None:
    found = rows(page, *pair("one", 0), *pair("two", 2))
    assert found["one"]["offers"] == ["copy", "branch", "remove"]
    assert found["to one"]["offers"] == QUIET
    assert found["two"]["offers"] == ["copy", "rewrite", "remove"]
    assert found["to two"]["offers"] == ["regenerate", *QUIET]
    assert found["to two"]["about"] == "two"
    assert rows(page, question("alone", 0))["alone"]["offers"] == ["answer", "copy", "rewrite", "remove"]


def test_each_ending_of_the_last_reply_has_its_action(page: Page) -> None:
    def offered(**fields: Any) -> Any:
        return rows(page, *pair("q", 0, **fields))["to q"]["offers"]

    failed = {"status": "failed", "messageType": "ai_error"}
    assert offered(**failed, content="") == ["again", "remove"]
    assert offered(**failed) == ["again", "continue", *QUIET]
    assert offered(status="cancelled", content=" ") == ["again", *QUIET]
    assert offered(status="cancelled", content="\u2800") == ["again", *QUIET]
    assert offered(status="cancelled") == ["continue", "regenerate", *QUIET]
    assert offered(finishReason="length") == ["continue", "regenerate", *QUIET]
    assert offered(status="running") == ["stop"]


def test_an_edit_that_is_not_saved_can_be_gone_on_with_whatever_became_of_its_message(page: Page) -> None:
    edit = ("typed", {"chatSessionId": CHAT, "part": "one", "text": "one anew"})
    found = rows(page, *pair("one", 0), *pair("two", 2), events=[edit])
    assert (found["one"]["edited"], found["one"]["offers"]) == (True, ["copy", "rewrite", "branch", "remove"])
    assert not found["two"]["edited"]
    assert rows(page, *pair("one", 0, status="running"), events=[edit])["one"]["offers"] == [
        "copy",
        "rewrite",
        "remove",
    ]
    assert not rows(page, *pair("one anew", 0), events=[edit])["one anew"]["edited"]


def test_a_text_that_can_never_be_sent_is_not_tried_again(page: Page) -> None:
    def offered(**why: Any) -> Any:
        sending = ("draft.sending", {"key": "k", "chatSessionId": CHAT, "content": "text"})
        return rows(page, events=[sending, ("draft.unsent", {"key": "k", "problem": "No.", **why})])["k"]["offers"]

    assert offered() == ["retry", "edit"]
    assert offered(wrong=True) == ["edit"]


WAITS = {"status": "pending", "attempt": 0, "content": ""}


def test_what_waits_can_be_moved_removed_and_edited_and_the_ends_rest(page: Page) -> None:
    messages = [*pair("now", 0, status="running"), *pair("a", 2, **WAITS), *pair("b", 4, **WAITS)]
    found = rows(page, *messages)
    assert found["to now"]["offers"] == ["stop"]
    assert found["a"]["offers"] == ["copy", "rewrite"]
    assert found["to a"]["offers"] == found["to b"]["offers"] == ["now", "up", "down", "dequeue"]
    assert (found["to a"]["off"][0], found["to b"]["off"][0]) == ("up", "down")
    first = rows(page, *pair("a", 2, **WAITS), *pair("b", 4, **WAITS))
    assert first["to a"]["offers"] == ["stop", "up", "down"]
    parked = ("chat.updated", chat(CHAT, 1, 5) | {"parked": True})
    paused = rows(page, *pair("a", 2, **WAITS), *pair("b", 4, **WAITS), events=[parked])
    assert paused["to a"]["offers"] == ["up", "down", "dequeue"]
    assert paused["to a"]["paused"]


def test_the_shown_version_counts_among_the_others_and_none_is_chosen_while_one_is_open(page: Page) -> None:
    old = reply("q", 1, shown=False)
    new = reply("q", 2, id="new", version=2, versionOf="to q", seq=9)
    found = rows(page, question("q", 0), old, new)
    assert list(found) == ["q", "new"]
    assert found["new"]["versions"] == {"at": 2, "of": 2, "older": "to q", "newer": None}
    assert found["q"]["versions"] is None
    assert list(rows(page, question("q", 0), old | {"shown": True}, new)) == ["q", "new"]
    open_ = rows(page, question("q", 0), old, new | {"status": "running"})
    assert open_["new"]["versions"] == {"at": 2, "of": 2, "older": None, "newer": None}


MARKED = """async ([earlier, items]) => {
    const { reduce, start } = await import("/client/state/store.js");
    const page = (type, items) => ({ type, data: { chatSessionId: "chat", items, nextCursor: null } });
    const opened = reduce(start, { type: "chat.opened", data: "chat" });
    const loaded = reduce(opened, page("messages.loaded", items));
    const state = earlier.length ? reduce(loaded, page("messages.earlier", earlier)) : loaded;
    const read = { chatSessionId: "chat", id: "gap", items: [] };
    return [state.unversioned, reduce(state, { type: "messages.versions", data: read }).unversioned];
}"""


def test_the_page_asks_for_versions_only_where_the_history_may_have_some(page: Page) -> None:
    whole = [*pair("one", 0), *pair("gap", 2), *pair("last", 9)]
    marked, rest = page.evaluate(MARKED, [[], whole])
    assert sorted(marked) == ["gap", "last", "to gap", "to last"]
    assert sorted(rest) == ["last", "to gap", "to last"]
    later = pair("one", 0, version=2)
    assert sorted(page.evaluate(MARKED, [later, pair("last", 2)])[0]) == ["last", "one", "to last", "to one"]
    live = rows(page, *pair("live", 0))
    assert live["live"]["versions"] is None


NOTE = """async (row) => (await import("/client/views/message/note.js")).noteOf(row)"""


def test_the_line_below_a_message_tells_why_it_waits_and_what_it_costs(page: Page) -> None:
    def note(place: Any = None, paused: bool = False, **fields: Any) -> str:
        held = {"held": 3, "charged": 0, "released": 0}
        row = {"message": message(**(WAITS | {"credits": held} | fields)), "place": place, "paused": paused}
        return str(page.evaluate(NOTE, row))

    soon = page.evaluate("new Date(Date.now() + 170000).toISOString()")
    place = {"ahead": 0, "estimatedStartAt": None, "noWorker": False}
    assert note() == "Waiting…"
    assert note(place) == "Waiting: it is next. 3 credits held."
    assert note(place | {"ahead": 1}) == "Waiting: 1 reply before it. 3 credits held."
    assert note(place | {"ahead": 2, "estimatedStartAt": soon}).startswith(
        "Waiting: 2 replies before it, begins in about 3 minutes."
    )
    assert "no worker" in note(place | {"noWorker": True})
    assert "paused" in note(place, paused=True)
    charged = {"held": 0, "charged": 1, "released": 0}
    assert note(status="cancelled", credits=charged) == "Stopped. The text so far cost 1 credit."
    returned = {"held": 0, "charged": 0, "released": 3}
    assert note(status="cancelled", credits=returned) == "Stopped. Your credits were returned."
