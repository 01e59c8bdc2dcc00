"""A person searches, archives and exports chats, and changes their settings, on two devices."""

import json
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.e2e.person import Person
from tests.fake_model import FakeModel
from tests.services.programs import Programs
from tests.the_page import newest_reply, sign_in, write

pytestmark = pytest.mark.parametrize("programs", ["sqlite"], indirect=True)


def stored(person: Person, chat: str, *texts: str) -> None:
    for text in texts:
        person.post(f"/chats/{chat}/messages", content=text, generate=False)


def settings_of(page: Page) -> None:
    page.get_by_role("button", name="Settings of this chat").click()
    expect(page.locator("#settings")).to_be_visible()


def save(page: Page) -> None:
    page.locator("#settings").get_by_role("button", name="Save").click()


def test_a_place_that_was_found_is_opened_however_far_back_it_is(page: Page, person: Person) -> None:
    garden, other = (person.post("/chats", title=title)["id"] for title in ("The garden", "Other"))
    stored(person, garden, "Where do roses grow?", *(f"Line {number}" for number in range(60)))
    stored(person, other, "No roses here")
    sign_in(page, person)
    expect(page).to_have_title("Other · Holdfast")

    page.get_by_role("searchbox", name="Search all chats").fill("rose")
    places = page.locator("[data-test=found] li")
    expect(places).to_have_count(2)
    expect(page.locator(".count")).to_have_text("2 found.")
    expect(page.locator("[data-test=chat-list]")).to_be_hidden()
    assert places.locator("mark").all_inner_texts() == ["rose", "rose"]

    # The message is far above the newest page, and takes the focus
    places.get_by_role("link", name="The garden").focus()
    page.keyboard.press("Enter")
    expect(page.locator("[data-message-id]:focus .content")).to_have_text("Where do roses grow?")
    expect(page.locator("[data-message-id]:focus")).to_be_in_viewport()
    expect(page.locator("[data-message-id]")).to_have_count(61)

    # The same place again, after a look at the end of the chat
    page.locator("#box").focus()
    page.locator(".scroll").evaluate("(scroll) => scroll.scrollTo(0, scroll.scrollHeight)")
    places.get_by_role("link", name="The garden").click()
    expect(page.locator("[data-message-id]:focus")).to_be_in_viewport()

    # Without a connection the page says so, where the places would be
    page.route("**/search?*", lambda route: route.abort())
    page.get_by_role("searchbox").fill("roses")
    expect(page.locator(".count")).to_have_text("The server can't be reached.")
    expect(places).to_have_count(2)

    # A deleted message is found no more, here and at once
    page.locator("[data-message-id]").first.hover()
    page.locator("[data-message-id]").first.get_by_role("button", name="Delete").click()
    page.locator("#ask").get_by_role("button", name="Delete").click()
    expect(places).to_have_count(1)
    page.get_by_role("searchbox").fill("")
    expect(page.locator("[data-test=chat-list]")).to_be_visible()


def test_an_archived_chat_leaves_the_list_on_every_device_and_comes_back(
    page: Page, person: Person, browser: Browser, programs: Programs
) -> None:
    for title in "kept", "put away":
        person.post("/chats", title=title)
    sign_in(page, person)
    with browser.new_context(base_url=programs.url) as context:
        other = context.new_page()
        sign_in(other, person)
        listed = other.locator("[data-test=chat-list]")
        expect(listed.get_by_role("link")).to_have_text(["put away", "kept"])
        settings_of(page)
        page.get_by_label("Keep this chat in the archive").check()
        save(page)
        expect(page.locator(".archived")).to_be_visible()
        expect(page.get_by_role("button", name="Settings of this chat")).to_be_focused()
        for device in (page, other):
            expect(device.locator("[data-test=chat-list]").get_by_role("link")).to_have_text(["kept"])

        # A page that opens later reads the archive when somebody looks at it, and the row of its open chat before
        other.reload()
        expect(other).to_have_title("put away · Holdfast")
        other.get_by_role("button", name="Archived chats").click()
        expect(listed.get_by_role("link")).to_have_text(["put away"])
        settings_of(other)
        other.get_by_label("Keep this chat in the archive").uncheck()
        save(other)
        expect(other.locator(".bare")).to_be_visible()
        expect(page.locator("[data-test=chat-list]").get_by_role("link")).to_have_text(["put away", "kept"])


def test_the_settings_of_a_chat_count_for_its_replies(page: Page, person: Person, fake_model: FakeModel) -> None:
    chat = person.post("/chats", title="here")["id"]
    sign_in(page, person)
    settings_of(page)
    instructions = page.get_by_label("Instructions for every reply")
    instructions.fill("x" * 4_001)
    save(page)
    expect(page.locator("#settings [role=alert]")).to_contain_text("4,001 characters")
    instructions.fill("Answer like a gardener.")
    page.get_by_label("A message that you send while").select_option("is refused")
    page.get_by_label("Use the context").check()
    save(page)
    expect(page.locator("#settings")).to_be_hidden()
    assert person.get(f"/chats/{chat}")["settings"] == {
        "model": None,
        "whenBusy": "reject",
        "includeContext": True,
        "instructions": "Answer like a gardener.",
    }

    write(page, "Roses? fake:chunks=3,gate=roses")
    expect(newest_reply(page).locator(".content")).to_have_text("word0")
    assert fake_model.asked("Roses? fake:chunks=3,gate=roses")[0].body["messages"][0]["content"] == (
        "Answer like a gardener."
    )
    write(page, "Tulips?")
    expect(page.locator("[data-status=unsent]")).to_contain_text("Not sent")
    fake_model.open_gate("roses")
    expect(newest_reply(page)).to_have_attribute("data-status", "completed")
    page.get_by_role("button", name="Try again: “Tulips?”").click()
    expect(newest_reply(page)).to_contain_text("Tulips?")


def test_chats_are_exported_as_files(page: Page, person: Person) -> None:
    for title in "one", "two":
        stored(person, person.post("/chats", title=title)["id"], f"Hello {title}")
    sign_in(page, person)
    with page.expect_download() as download:
        page.get_by_role("button", name="Export all chats as JSON").click()
    assert download.value.suggested_filename == "holdfast.json"
    everything = json.loads(Path(download.value.path()).read_text())
    assert [chat["title"] for chat in everything["chats"]] == ["one", "two"]
    settings_of(page)
    with page.expect_download() as download:
        page.get_by_role("button", name="Export this chat as Markdown").click()
    text = Path(download.value.path()).read_text()
    assert ("# two" in text, "Hello two" in text, "Hello one" in text) == (True, True, False)
