"""A person uses the page with a keyboard, a screen reader, a phone, in light and in darkness."""

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.e2e.person import Person
from tests.services.programs import Programs
from tests.the_page import newest_reply, sign_in, write

pytestmark = pytest.mark.parametrize("programs", ["sqlite"], indirect=True)


def hang_and_wait(page: Page) -> None:
    """One reply hangs, and another one waits for its end."""
    known = page.locator("[data-status=running], [data-status=pending]")
    write(page, "hangs fake:hang")
    write(page, "waits")
    expect(known).to_have_count(2)
    expect(newest_reply(page)).to_contain_text("Waiting")


def focused(page: Page) -> str:
    """The name of the focused element, or its tag."""
    return page.evaluate(
        "(({ ariaLabel, textContent, localName }) => ariaLabel || textContent || localName)(document.activeElement)"
    )


def test_the_keyboard_never_loses_its_place(page: Page, person: Person) -> None:
    chats = [person.post("/chats", title=title) for title in ("third", "second", "first")]
    sign_in(page, person)
    expect(page.locator("#box")).to_be_focused()
    page.get_by_role("link", name="second").focus()
    page.keyboard.press("Enter")
    expect(page.locator("#box")).to_be_focused()

    # A chat is renamed, and one that is not open is deleted
    press(page, "Rename second")
    page.keyboard.type("other")
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="Rename other")).to_be_focused()
    press(page, "Delete first")
    confirm(page)
    expect(page.get_by_role("link")).to_have_count(len(chats))  # two chats, and the link that skips them
    expect(page.get_by_role("link", name="other")).to_be_focused()

    # A reply is stopped, the chat goes on, a message is deleted
    hang_and_wait(page)
    stop = page.get_by_role("button", name="Stop").first
    stop.focus()
    page.keyboard.press("Enter")
    expect(page.locator("[data-status=cancelled]").get_by_role("button", name="Delete")).to_be_focused()
    press(page, "Go on")
    expect(newest_reply(page)).to_have_attribute("data-status", "completed")
    expect(page.locator("#box")).to_be_focused()
    page.locator("[data-message-type=user]").last.get_by_role("button", name="Delete").focus()
    page.keyboard.press("Enter")
    confirm(page)
    expect(page.locator("[data-message-id]")).to_have_count(2)
    assert focused(page) == "Try again: reply to “hangs fake:hang”"

    # The list is skipped
    page.locator("[data-action=skip]").focus()
    page.keyboard.press("Enter")
    expect(page.locator("#box")).to_be_focused()


def press(page: Page, name: str) -> None:
    page.get_by_role("button", name=name).focus()
    page.keyboard.press("Enter")


def confirm(page: Page) -> None:
    page.locator("dialog").get_by_role("button", name="Delete").focus()
    page.keyboard.press("Enter")


UNSEEN = """() => [...document.querySelectorAll("button")].filter((button) => {
    const { x, y, width, height } = button.getBoundingClientRect();
    return getComputedStyle(button).opacity === "0"
        && button.contains(document.elementFromPoint(x + width / 2, y + height / 2));
}).map((button) => button.ariaLabel)"""


def test_no_click_hits_a_button_that_is_not_seen(page: Page, person: Person) -> None:
    for title in "first", "second":
        person.post("/chats", title=title)
    for text in "one", "two":
        person.post(f"/chats/{person.get('/chats')['items'][0]['id']}/messages", content=text, generate=False)
    sign_in(page, person)
    expect(page.locator("[data-message-id]")).to_have_count(2)
    page.locator("#box").hover()
    assert page.evaluate(UNSEEN) == []
    delete = page.locator("[data-test=chat-list] li").last.get_by_role("button", name="Delete")
    box = delete.bounding_box()
    assert box
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    expect(delete).to_have_css("opacity", "1")
    delete.click()
    expect(page.locator("#ask")).to_be_visible()


def test_each_message_names_its_speaker(page: Page, person: Person) -> None:
    sign_in(page, person)
    write(page, "Hello")
    expect(newest_reply(page)).to_have_attribute("data-status", "completed")
    assert page.get_by_role("heading", level=2).all_inner_texts() == ["You", "Assistant"]


def test_on_a_touch_screen_enter_begins_a_line_and_tables_scroll(
    browser: Browser, person: Person, programs: Programs
) -> None:
    phone = {"width": 390, "height": 800}
    with browser.new_context(base_url=programs.url, viewport=phone, has_touch=True, is_mobile=True) as context:
        page = context.new_page()
        sign_in(page, person)
        columns = 12
        table = "".join(f"{'| words of a cell ' * columns}|\n{'|--' * columns * (row == 0)}\n" for row in range(2))
        write(page, f"\n\n{table}")
        assert page.locator("#box").input_value().endswith("\n")
        page.get_by_role("button", name="Send").tap()
        expect(newest_reply(page)).to_have_attribute("data-status", "completed")
        wide, cell = newest_reply(page).locator(".table"), newest_reply(page).locator("th").first
        assert wide.evaluate("({ scrollWidth, clientWidth }) => scrollWidth > clientWidth")
        assert page.evaluate("document.documentElement.scrollWidth") == phone["width"]
        assert cell.evaluate("(cell) => cell.clientHeight < 5 * parseFloat(getComputedStyle(cell).lineHeight)")
