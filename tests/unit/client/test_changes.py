"""The page's cursor: missing numbers, pages of missed changes, and a new start."""

from playwright.sync_api import Page

from tests.unit.client.story import CHAT, after, anew, chat, delta, heard, message


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


def test_a_page_that_is_not_the_last_one_leaves_the_client_behind(page: Page) -> None:
    missed = {"chats": [], "messages": [], "credits": {}, "cursor": 7}
    assert after(page, anew(5))["behind"], "changes during the first reading are still to be read"
    assert after(page, anew(5), ("synced", missed | {"hasMore": True}))["behind"]
    assert not after(page, anew(5), ("synced", missed | {"hasMore": False}))["behind"]


def test_the_cursor_waits_for_the_row_of_a_chat_that_a_message_moved(page: Page) -> None:
    unknown = heard("message.completed", message(chatSessionId="far", status="completed", seq=6))
    waiting = after(page, anew(5), unknown, heard("credits.changed", {"balance": 1, "held": 0, "seq": 7}))
    assert (waiting["cursor"], waiting["later"], waiting["chats"]) == (5, [6, 7], [])
    missed = {"chats": [chat("far", 1, 6)], "messages": [], "credits": {}, "cursor": 6, "hasMore": False}
    for row in (("synced", missed), ("chats.more", {"items": [chat("far", 1, 6)], "nextCursor": None})):
        read = after(page, anew(5), unknown, heard("credits.changed", {"balance": 1, "held": 0, "seq": 7}), row)
        assert (read["cursor"], read["later"], [one["id"] for one in read["chats"]]) == (7, [], ["far"])
    gone = after(page, anew(5), unknown, heard("chat.deleted", {"id": "far", "seq": 7}))
    assert (gone["cursor"], gone["later"], gone["chats"]) == (7, [], [])


def test_an_answer_that_comes_after_a_deletion_brings_no_message_back(page: Page) -> None:
    deleted = heard("message.deleted", {"id": "m", "chatSessionId": CHAT, "seq": 6})
    late = ("messages.loaded", {"chatSessionId": CHAT, "items": [message()], "nextCursor": None})
    assert after(page, anew(5), deleted, late)["messages"] == []


def test_a_page_of_changes_takes_away_what_is_gone(page: Page) -> None:
    gone = {"id": "m", "chatSessionId": CHAT, "seq": 11, "deleted": True}
    missed = {"chats": [{"id": "old", "seq": 12, "deleted": True}], "messages": [gone], "credits": {}, "cursor": 12}
    state = after(page, anew(5, chat("old", 1, 1)), ("message.started", message()), ("synced", missed), delta(0))
    assert (state["chats"], state["messages"], state["wanted"]) == ([], [], [])
