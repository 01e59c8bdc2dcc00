"""A message, a deletion and a parked chat change the page's list of chats."""

from typing import Any

from playwright.sync_api import Page

from tests.unit.client.story import CHAT, MINE, after, anew, chat, message


def test_a_message_lifts_its_chat_and_a_deleted_chat_does_not_come_back(page: Page) -> None:
    listed = anew(2, chat("new", 3, 2), chat("old", 2, 1))
    lifts = ("message.completed", message(chatSessionId="old", status="completed", createdAt="2026-01-09T00:00:00Z"))
    state = after(page, listed, lifts)
    assert [one["id"] for one in state["chats"]] == ["old", "new"]
    assert state["messages"] == [], "it belongs to a chat that is not open"
    gone = after(page, listed, ("chat.deleted", {"id": "old", "seq": 5}), ("chat.updated", chat("old", 9, 4)))
    assert [one["id"] for one in gone["chats"]] == ["new"]


def test_the_end_of_a_reply_makes_its_chat_unread_and_ones_own_post_does_not(page: Page) -> None:
    started = message(chatSessionId="other", seq=11)
    done = message(chatSessionId="other", status="completed", seq=12)
    listed = anew(5, chat("other", 1, 5) | {"unread": False})

    def unread(*events: tuple[str, Any]) -> list[Any]:
        (only,) = after(page, listed, *events)["chats"]
        return [only["unread"], only["seq"]]

    assert unread(("message.started", started)) == [False, 5]
    assert unread(("message.completed", done), ("message.started", started)) == [True, 12]
    hidden = message(chatSessionId="other", status="completed", seq=13, shown=False)
    assert unread(("message.updated", hidden)) == [False, 5]
    mine = message(id="mine", chatSessionId="other", messageType="user", status="completed", seq=13)
    assert unread(("message.completed", done), ("message.created", mine)) == [False, 13]
    seen = chat("other", 1, 14) | {"unread": False}
    assert unread(("message.completed", done), ("chat.updated", seen), ("message.completed", done)) == [False, 14]


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
