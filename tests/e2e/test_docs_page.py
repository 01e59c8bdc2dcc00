"""The page for authors of clients, in a real browser: it shows both documents and sends a request with a token."""

from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.page.axe import wrong
from tests.e2e.person import Person

# The page is the same for each database.
pytestmark = pytest.mark.parametrize("programs", ["sqlite"], indirect=True)


def test_the_page_shows_both_documents_and_sends_a_request_with_a_token(page: Page, person: Person) -> None:
    asked, complaints = set(), []
    page.on("request", lambda request: asked.add(urlsplit(request.url).netloc or request.url[:5]))
    page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    page.goto("/docs")

    # An event, with its fields
    page.locator(".event", has_text="message.delta").first.click()
    expect(page.locator(".event[open] tbody tr", has_text="chatSessionId")).to_be_visible()

    # A token, then a request
    page.locator(".authorize").first.click()
    page.locator(".auth-container input").fill(person.token)
    page.locator(".auth-container button[type=submit]").click()
    page.locator(".btn-done").click()
    operation = page.locator("#operations-account-getAccount")
    operation.locator(".opblock-summary-control").click()
    operation.locator("button.execute").click()
    expect(operation.locator(".live-responses-table .response-col_status").last).to_contain_text("200")
    expect(operation.locator(".live-responses-table")).to_contain_text(person.email)

    # The address names the operation, and axe finds nothing in either document
    assert page.url.endswith("#/account/getAccount")
    assert wrong(page) == []

    # Nothing came from elsewhere, and the policy of the page stood in the way of nothing
    assert asked <= {urlsplit(page.url).netloc, "data:"}
    assert complaints == []
