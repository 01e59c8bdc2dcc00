"""A person types. Nothing typed is lost, doubled, or shown to somebody else."""

import re
from contextlib import suppress

import pytest
from playwright.sync_api import Error, Page, Route, expect

from tests.e2e.person import Person
from tests.eventually import patience
from tests.fake_model import FakeModel
from tests.services.programs import Programs
from tests.the_page import newest_reply, sign_in, write

pytestmark = pytest.mark.parametrize("programs", ["sqlite"], indirect=True)


def box(page: Page) -> str:
    return page.locator("#box").input_value()


def mine(page: Page) -> list[str]:
    return page.locator("[data-message-type=user] [data-test=content]").all_inner_texts()


def test_a_draft_survives_a_reload_and_a_switch_of_chats(page: Page, person: Person) -> None:
    for title in "first", "second":
        person.post("/chats", title=title)
    sign_in(page, person)
    chats = page.locator("[data-test=chat-list]")
    expect(page).to_have_title(re.compile("second"))
    chats.get_by_role("link", name="first").click()
    expect(page).to_have_title(re.compile("first"))
    expect(page.locator("#box")).to_be_focused()
    page.keyboard.type("half a thought")
    chats.get_by_role("link", name="second").click()
    expect(page.locator("#box")).to_have_value("")
    page.reload()
    expect(page.locator("#box")).to_have_value("")
    chats.get_by_role("link", name="first").click()
    expect(page.locator("#box")).to_have_value("half a thought")


def test_what_is_typed_while_a_new_chat_is_made_stays_in_the_box(page: Page, person: Person) -> None:
    held: list[Route] = []
    sign_in(page, person)
    page.route("**/chats", lambda route: held.append(route) if route.request.method == "POST" else route.continue_())
    page.locator("[data-test=new-chat]").click()
    page.keyboard.type("early")
    held[0].continue_()
    expect(page.locator("[data-test=chat-list] li")).to_have_count(1)
    expect(page).to_have_url(re.compile("#"))
    assert box(page) == "early"


def test_messages_of_a_lost_connection_survive_a_reload_and_go_out_once_in_their_order(
    page: Page, person: Person
) -> None:
    chat = person.post("/chats", title="here")["id"]
    sign_in(page, person)
    expect(page).to_have_title(re.compile("here"))
    page.route("**/messages", lose)
    write(page, "one, whose answer is lost")
    write(page, "two")
    expect(page.locator("[data-status=unsent]").last).to_contain_text("two", timeout=patience(20_000))
    page.reload()
    expect(page.locator("[data-message-type=user]:not([data-status=completed])").last).to_contain_text("two")
    page.unroute("**/messages")
    expect(newest_reply(page)).to_contain_text("You said: two", timeout=patience(20_000))
    expect(page.locator("[data-message-type=user]")).to_have_count(2)
    stored = person.get(f"/chats/{chat}/messages")["items"]
    assert (
        [one["content"] for one in stored if one["messageType"] == "user"]
        == mine(page)
        == ["one, whose answer is lost", "two"]
    )


def lose(route: Route) -> None:
    """Posts do not arrive, except the one whose answer is lost."""
    if route.request.method != "POST":
        return route.continue_()
    with suppress(Error):  # the reload has ended the request meanwhile
        if "answer is lost" in (route.request.post_data or ""):
            route.fetch()
        route.abort()
    return None


def test_an_edit_whose_dialog_was_closed_before_its_refusal_is_kept_while_another_one_goes_out(
    page: Page, person: Person, fake_model: FakeModel
) -> None:
    held: list[Route] = []
    sign_in(page, person)
    for text in "now fake:chunks=2,gate=edits", "one", "two":
        write(page, text)
    rewrite, editor = page.get_by_role("button", name="Edit: "), page.locator("#editor")
    expect(rewrite).to_have_count(2)
    page.route("**/messages/*", lambda route: held.append(route) if not held else route.continue_())
    rewrite.first.press("Enter")
    editor.locator("textarea").fill("one anew")
    editor.get_by_role("button", name="Send").click()
    page.keyboard.press("Escape")

    # The second goes out while the first has no answer yet
    rewrite.last.press("Enter")
    editor.locator("textarea").fill("two anew")
    editor.get_by_role("button", name="Send").click()
    expect(editor).to_be_hidden()
    assert mine(page) == ["now fake:chunks=2,gate=edits", "one", "two anew"]

    # The first is refused: the page says so, and has its text, also after a reload
    held[0].fulfill(status=409, json={"detail": "Not now."})
    expect(page.get_by_role("alert").first).to_have_text("Your edit was not saved: Not now.")
    page.reload()
    edited = page.locator("[data-message-type=user]", has_text="Your edit is not saved yet")
    expect(edited).to_have_count(1)
    edited.get_by_role("button", name="Edit").press("Enter")
    expect(editor.locator("textarea")).to_have_value("one anew")
    editor.get_by_role("button", name="Cancel").click()
    expect(edited).to_have_count(0)
    fake_model.open_gate("edits")


def test_a_blank_of_braille_is_no_message(page: Page, person: Person) -> None:
    sign_in(page, person)
    write(page, "\u2800")
    expect(page.get_by_role("button", name="Send")).to_be_disabled()
    assert (box(page), mine(page)) == ("\u2800", [])


def test_the_next_user_of_a_tab_finds_nothing_of_the_former(page: Page, person: Person, programs: Programs) -> None:
    sign_in(page, person)
    other = page.context.new_page()
    other.goto("/")
    other.locator("[data-test=new-chat]").click()
    other.keyboard.type("a secret")
    expect(other.locator("[data-test=chat-list] li")).to_have_count(1)
    assert "a secret" in other.evaluate("JSON.stringify(localStorage)")

    page.get_by_role("button", name="Sign out").click()
    expect(other.locator("form[data-test=sign-in]")).to_be_visible(timeout=patience(10_000))
    assert other.evaluate("({ ...localStorage })") == {}
    with Person(programs.url) as next_one:
        sign_in(other, next_one)
        assert box(other) == ""
        assert "a secret" not in other.content()


def test_a_text_beyond_the_limit_stays_in_the_box_and_the_page_says_why(page: Page, person: Person) -> None:
    sign_in(page, person)
    page.locator("#box").fill("x" * 100_001)
    page.locator("#box").press("Enter")
    expect(page.get_by_role("alert")).to_contain_text("100,001 characters")
    assert len(box(page)) == 100_001
    page.locator("#box").fill("😀" * 60_000)
    page.locator("#box").press("Enter")
    expect(page.locator("#box")).to_have_value("")


def test_a_first_line_that_can_be_no_title_stops_no_message(page: Page, person: Person) -> None:
    sign_in(page, person)
    write(page, "\u202e \u0085\nHello")
    expect(newest_reply(page)).to_have_attribute("data-status", "completed")


PRESS = """(box, how) => box.dispatchEvent(
    new KeyboardEvent("keydown", { key: "Enter", bubbles: true, cancelable: true, ...how })
)"""


@pytest.mark.parametrize("how", [{"isComposing": True}, {"keyCode": 229}, {"shiftKey": True}])
def test_an_enter_that_ends_a_composition_or_a_line_sends_nothing(page: Page, person: Person, how: object) -> None:
    sign_in(page, person)
    page.locator("#box").fill("にほん")
    assert page.locator("#box").evaluate(PRESS, how) is True, "the browser goes on with the key"
    assert (box(page), mine(page)) == ("にほん", [])
