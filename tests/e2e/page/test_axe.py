"""Every view of the page serves somebody who hears it, uses the keyboard alone, or needs strong contrasts."""

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.page.axe import wrong
from tests.e2e.person import Person
from tests.fake_model import FakeModel
from tests.the_page import newest_reply, sign_in, write

pytestmark = pytest.mark.parametrize("programs", ["sqlite"], indirect=True)

RICH = """Look

#### Deep

`code` and [a link](https://example.org)

```
a line of code that is too long for the page, so that a reader has to scroll sideways to see how it ends, at last
```

| a | b |
|--|--|
| c | d |

> quote"""


# Each button that opens a dialog.
DIALOGS = {
    "[data-test=chat-list] [data-action=rename]": "#ask",
    "[data-test=chat-list] [data-action=delete]": "#ask",
    "[data-action=configure]": "#settings",
    "[data-action=rewrite]": "#editor",
}


def test_axe_finds_nothing_on_any_view(page: Page, person: Person, fake_model: FakeModel) -> None:
    page.goto("/")
    expect(page.locator("form[data-test=sign-in]")).to_be_visible()
    assert wrong(page) == []
    sign_in(page, person)
    assert wrong(page) == []
    write(page, RICH)
    expect(newest_reply(page)).to_have_attribute("data-status", "completed")
    press(page, "[data-action=regenerate]")
    expect(newest_reply(page).locator(".counter")).to_have_text("2/2")
    expect(newest_reply(page)).to_have_attribute("data-status", "completed")
    assert wrong(page) == []
    see_the_dialogs(page)
    see_the_side(page)
    see_the_queue(page)
    page.set_viewport_size({"width": 390, "height": 800})
    page.locator("[data-action=menu]").click()
    assert wrong(page) == []


def press(page: Page, button: str) -> None:
    page.locator(button).first.focus()
    page.keyboard.press("Enter")


def see_the_dialogs(page: Page) -> None:
    for button, dialog in DIALOGS.items():
        press(page, button)
        expect(page.locator(dialog)).to_be_visible()
        assert wrong(page, dialog) == []
        page.keyboard.press("Escape")
    press(page, "[data-action=rewrite]")
    page.keyboard.type("Half an edit")
    page.keyboard.press("Escape")
    expect(page.locator("[data-message-type=user] .note")).to_contain_text("Your edit")


def see_the_side(page: Page) -> None:
    """The side after a search that found something, and one that did not; the archive without a chat and with one."""
    for words, told in ("long", "2 found."), ("nowhere", "Nothing found."):
        page.get_by_role("searchbox").fill(words)
        expect(page.locator(".count")).to_have_text(told)
        assert wrong(page, ".sidebar") == []
    page.get_by_role("searchbox").fill("")
    press(page, "[data-action=archive]")
    expect(page.locator(".bare")).to_be_visible()
    assert wrong(page, ".sidebar") == []
    press(page, "[data-action=configure]")
    page.get_by_label("Keep this chat in the archive").check()
    page.locator("#settings").get_by_role("button", name="Save").click()
    expect(page.locator("[data-test=chat-list] li")).to_have_count(1)
    assert wrong(page) == []
    press(page, "[data-action=archive]")


def see_the_queue(page: Page) -> None:
    """A failed reply, one that hangs, three that wait; then a paused chat with a notice and a post that was refused."""
    write(page, "fails fake:status=401")
    expect(newest_reply(page)).to_have_attribute("data-status", "failed")
    for text in "hangs fake:hang", "one", "two", "three":
        write(page, text)
    expect(page.locator("[data-status=pending] [data-action=up]")).to_have_count(3)
    expect(newest_reply(page)).to_contain_text("credits held")
    assert wrong(page) == []
    page.get_by_role("button", name="Stop").first.click()
    expect(page.locator("[data-test=paused]")).to_be_visible()
    page.route("**/messages", lambda route: route.fulfill(status=402, json={"detail": "No credits."}))
    write(page, "refused")
    expect(page.locator("[data-status=unsent]")).to_be_visible()
    page.locator("#box").fill("x" * 100_001)
    page.locator("#box").press("Enter")
    assert wrong(page) == []
