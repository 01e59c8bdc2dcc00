"""A person acts on messages on one device, while another device looks on."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from tests.e2e.person import Person
from tests.eventually import eventually
from tests.fake_model import FakeModel
from tests.services.programs import Programs
from tests.the_page import enter, newest_reply, sign_in, write

pytestmark = pytest.mark.parametrize("programs", ["sqlite"], indirect=True)


@pytest.fixture
def other(browser: Browser, programs: Programs, person: Person, page: Page) -> Iterator[Page]:
    """The page on another device of the same person. Both show the same new chat."""
    sign_in(page, person)
    page.locator("[data-test=new-chat]").click()
    expect(page.locator("[data-test=chat-list] li")).to_have_count(1)
    with browser.new_context(base_url=programs.url) as context:
        elsewhere = context.new_page()
        sign_in(elsewhere, person)
        yield elsewhere


def questions(page: Page) -> Locator:
    return page.locator("[data-message-type=user] .content")


def press(message: Locator, name: str) -> None:
    message.hover()
    message.get_by_role("button", name=name).click()


def focused(page: Page) -> str:
    return str(page.evaluate("document.activeElement.tagName"))


def test_versions_of_a_reply_and_of_a_message_are_made_and_chosen_on_every_device(
    page: Page, other: Page, fake_model: FakeModel
) -> None:
    write(page, "Which one? fake:signed,chunks=2")
    expect(newest_reply(other)).to_have_attribute("data-status", "completed")
    first = newest_reply(page).locator(".content").inner_text()

    # another version of the reply
    press(newest_reply(page), "Regenerate: reply to “Which one?")
    expect(newest_reply(page).locator(".counter")).to_have_text("2/2")
    expect(newest_reply(page)).to_have_attribute("data-status", "completed")
    expect(newest_reply(page).locator(".content")).not_to_have_text(first)
    assert focused(page) != "BODY"

    # the earlier one is shown again, on both devices
    expect(newest_reply(other).locator(".counter")).to_have_text("2/2")
    press(newest_reply(other), "Previous version")
    expect(newest_reply(other).get_by_role("button", name="Previous version")).to_be_focused()
    for device in (page, other):
        expect(newest_reply(device).locator(".counter")).to_have_text("1/2")
        expect(newest_reply(device).locator(".content")).to_have_text(first)
        expect(device.locator("[data-message-id]")).to_have_count(2)

    # a page that opens the chat later knows of both
    other.reload()
    expect(newest_reply(other).locator(".counter")).to_have_text("1/2")

    # the message is edited, and comes back with its reply
    press(page.locator("[data-message-type=user]"), "Edit")
    page.locator("#editor textarea").fill("Another one?")
    page.locator("#editor").get_by_role("button", name="Send").click()
    for device in (page, other):
        expect(questions(device)).to_have_text(["Another one?"])
        expect(newest_reply(device)).to_contain_text("You said: Another one?")
    press(other.locator("[data-message-type=user]"), "Previous version")
    for device in (page, other):
        expect(questions(device)).to_have_text(["Which one? fake:signed,chunks=2"])
        expect(newest_reply(device).locator(".content")).to_have_text(first)


def test_without_a_socket_an_action_shows_all_that_it_has_changed(page: Page, person: Person) -> None:
    chat = person.post("/chats")
    path = f"/chats/{chat['id']}/messages"
    reply = person.post(path, content="Hello")["reply"]
    eventually(lambda: person.get(f"{path}/{reply['id']}")["status"] == "completed")
    page.route_web_socket(re.compile("socket.io"), lambda socket: socket.close())
    enter(page, person)

    press(newest_reply(page), "Regenerate")

    expect(newest_reply(page).locator(".counter")).to_have_text("2/2")
    expect(page.locator("[data-message-id]")).to_have_count(2)


def test_a_queue_is_arranged_on_two_devices(page: Page, other: Page, fake_model: FakeModel) -> None:
    write(page, "Long fake:chunks=3,gate=queue")
    expect(newest_reply(page)).to_have_attribute("data-status", "running")
    for text in ("One", "Two", "Three"):
        write(page, text)
    expect(questions(other)).to_have_text(["Long fake:chunks=3,gate=queue", "One", "Two", "Three"])
    waiting = other.locator("[data-status=pending]")
    expect(waiting.nth(2)).to_contain_text(re.compile(r"Waiting: \d+ replies before it"))
    expect(waiting.nth(2)).to_contain_text("3 credits held")

    # moved up here and down there; the button keeps the focus
    page.get_by_role("button", name="Move up: reply to “Three”").click()
    expect(questions(other)).to_have_text(["Long fake:chunks=3,gate=queue", "One", "Three", "Two"])
    expect(page.get_by_role("button", name="Move up: reply to “Three”")).to_be_focused()
    other.get_by_role("button", name="Move down: reply to “One”").click()
    expect(questions(page)).to_have_text(["Long fake:chunks=3,gate=queue", "Three", "One", "Two"])

    # edited here, removed there
    press(page.locator("[data-message-type=user]").last, "Edit")
    page.locator("#editor textarea").fill("Second")
    page.locator("#editor").get_by_role("button", name="Send").click()
    expect(questions(other)).to_have_text(["Long fake:chunks=3,gate=queue", "Three", "One", "Second"])
    other.get_by_role("button", name="Remove: reply to “One”").click()
    other.locator("#ask").get_by_role("button", name="Remove").click()
    expect(questions(page)).to_have_text(["Long fake:chunks=3,gate=queue", "Three", "Second"])
    expect(page.locator("[data-test=credits]")).to_have_text("291")
    assert focused(other) != "BODY"

    # sent before all others: what runs is stopped, with its price, and the rest follows
    page.get_by_role("button", name="Send now: reply to “Second”").click()
    for device in (page, other):
        expect(device.locator("[data-status=cancelled]")).to_contain_text("The text so far cost 3 credits")
        expect(questions(device)).to_have_text(["Long fake:chunks=3,gate=queue", "Second", "Three"])
        expect(device.locator("[data-status=completed]:not([data-message-type=user])")).to_have_count(2)


def test_a_reply_that_broke_off_is_continued_and_a_failed_one_tried_again(
    page: Page, person: Person, fake_model: FakeModel
) -> None:
    sign_in(page, person)
    page.locator("[data-test=new-chat]").click()
    write(page, "Hello fake:status=401,times=1")
    expect(newest_reply(page)).to_have_attribute("data-status", "failed")
    press(newest_reply(page), "Try again")
    expect(newest_reply(page)).to_have_attribute("data-status", "completed")

    write(page, "A story fake:chunks=4,gate=story")
    expect(newest_reply(page).locator(".content")).to_have_text("word0")
    press(newest_reply(page), "Stop")
    expect(newest_reply(page)).to_contain_text("The text so far cost 3 credits")
    fake_model.open_gate("story")
    press(newest_reply(page), "Continue")
    expect(newest_reply(page)).to_have_attribute("data-status", "completed")
    expect(newest_reply(page).locator(".content")).to_contain_text("word0 word0 word1 word2 word3")
    assert focused(page) != "BODY"

    # an earlier message goes on in a new chat, and everything before it comes along
    press(page.locator("[data-message-type=user]").first, "Edit in a new chat")
    expect(page.locator("[data-test=composer] textarea")).to_have_value("Hello fake:status=401,times=1")
    expect(page.locator("[data-message-id]")).to_have_count(0)


def test_the_first_message_goes_on_in_one_new_chat_like_the_old_one(page: Page, person: Person) -> None:
    settings = {"instructions": "Be brief.", "whenBusy": "reject"}
    old = person.post("/chats", title="Mine", settings=settings)
    for text in "First", "Second":
        person.post(f"/chats/{old['id']}/messages", content=text, generate=False)
    sign_in(page, person)
    page.route("**/chats", lambda route: (route.fetch(), route.abort()))
    press(page.locator("[data-message-type=user]").first, "Edit in a new chat")
    expect(page.get_by_role("alert").first).to_have_text("The server can't be reached.")
    page.unroute("**/chats")
    made = person.get("/chats")["items"]
    assert [(chat["title"], chat["settings"]) for chat in made] == [("Mine", old["settings"])] * 2
    press(page.locator("[data-message-type=user]").first, "Edit in a new chat")
    expect(page.locator("#box")).to_have_value("First")


def test_a_message_and_a_block_of_code_are_copied(page: Page, person: Person) -> None:
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    sign_in(page, person)
    page.locator("[data-test=new-chat]").click()
    write(page, "**Look**")
    expect(newest_reply(page)).to_have_attribute("data-status", "completed")
    press(newest_reply(page), "Copy: reply")
    expect(page.locator("[data-test=said]")).to_have_text("Copied")
    assert "**Look**" in page.evaluate("navigator.clipboard.readText()")
    page.locator("[data-test=composer] textarea").fill("Look:\n```\nlet x = 1;\n```\nThanks")
    page.locator("[data-test=composer] textarea").press("Enter")
    newest_reply(page).get_by_role("button", name="Copy the code: let x").click()
    expect(page.locator("[data-test=said]")).to_have_text("Copied")
    assert page.evaluate("navigator.clipboard.readText()").startswith("let x = 1;\n")


def test_a_chat_has_a_model_of_its_own_on_every_device(page: Page, other: Page, fake_model: FakeModel) -> None:
    page.get_by_label("Model").select_option("another")
    expect(other.get_by_label("Model")).to_have_value("another")
    write(page, "Who are you?")
    expect(newest_reply(page)).to_have_attribute("data-status", "completed")
    assert fake_model.asked("Who are you?")[0].body["model"] == "another"
    page.get_by_label("Model").select_option("Default")
    expect(other.get_by_label("Model")).to_have_value("")
