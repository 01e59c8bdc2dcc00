"""Acts on the page as a person does."""

from playwright.sync_api import Locator, Page, expect

from tests.e2e.person import Person


def sign_in(page: Page, person: Person) -> None:
    enter(page, person)
    expect(page.locator("body")).to_have_attribute("data-socket", "online")


def enter(page: Page, person: Person) -> None:
    """Sign in, with or without a socket."""
    page.goto("/")
    form = page.locator("form[data-test=sign-in]")
    form.get_by_label("Email").fill(person.email)
    form.get_by_label("Password").fill(person.password)
    form.get_by_role("button", name="Sign in").click()


def write(page: Page, text: str) -> None:
    box = page.locator("[data-test=composer] textarea")
    box.fill(text)
    box.press("Enter")


def newest_reply(page: Page) -> Locator:
    return page.locator("[data-message-id]:not([data-message-type=user])").last
