"""P5 in a real browser: a program dies in the middle of a reply. The page is right again without a reload."""

from collections.abc import Iterator
from contextlib import contextmanager

from playwright.sync_api import Browser, Page, expect

from tests.eventually import eventually, patience
from tests.faults.conftest import mostly_on
from tests.faults.lab.history import Outcome
from tests.faults.lab.people import Witnessed
from tests.faults.lab.trial import Trial
from tests.the_page import newest_reply, sign_in

# Milliseconds: the page's pauses between two questions, a lease, and two busy cores.
SOON = patience(20_000)


@contextmanager
def device(browser: Browser, trial: Trial, person: Witnessed) -> Iterator[Page]:
    """Open the page in a browser of this person. An uncaught error in the page fails the test."""
    with browser.new_context(base_url=trial.programs.url) as context:
        page, errors = context.new_page(), list[str]()
        page.on("pageerror", lambda error: errors.append(str(error)))
        sign_in(page, person)
        yield page
        assert errors == []


def words(text: str) -> str:
    return " ".join(text.split())


def shows_all_of_it(page: Page, person: Witnessed, outcome: Outcome) -> None:
    """Check that the page shows the end of the reply, and every piece of its text once."""
    reply = page.locator(f"[data-message-id='{outcome.reply_id}']")
    expect(reply).to_have_attribute("data-status", "completed", timeout=SOON)
    shown = reply.locator("[data-test=content]").inner_text()
    assert words(shown) == words(person.reply(outcome)["content"])


def is_shown(page: Page) -> str:
    content = newest_reply(page).locator("[data-test=content]")
    expect(content).not_to_have_text("", timeout=SOON)  # the worker may still be on its way up
    return content.inner_text()


@mostly_on("sqlite")
def test_a_second_device_in_the_middle_shows_all_text_and_goes_on(trial: Trial, browser: Browser) -> None:
    person = trial.person()
    with device(browser, trial, person) as first:
        outcome = person.ask("chunks=6,every=20,gate=second")
        text = is_shown(first)
        with device(browser, trial, person) as second:
            expect(newest_reply(second)).to_contain_text(text)
            trial.model.open_gate("second")
            shows_all_of_it(second, person, outcome)
            shows_all_of_it(first, person, outcome)
    trial.check().must_be_clean()


@mostly_on("sqlite")
def test_a_page_whose_socket_server_dies_asks_and_then_hears_again(trial: Trial, browser: Browser) -> None:
    person = trial.person()
    with device(browser, trial, person) as page:
        outcome = person.ask("chunks=6,every=20,gate=deaf")
        is_shown(page)
        trial.programs["realtime"].kill()
        expect(page.locator("body")).to_have_attribute("data-socket", "offline")
        trial.model.open_gate("deaf")
        shows_all_of_it(page, person, outcome)
        person.new_chat()  # no reply is open now about which the page would ask by itself
        trial.programs["realtime"].start()
        expect(page.locator("body")).to_have_attribute("data-socket", "online", timeout=SOON)
        expect(page.locator("[data-test=chat-list] li")).to_have_count(2)
        shows_all_of_it(page, person, person.ask("chunks=3"))
    trial.check().must_be_clean()


@mostly_on("sqlite")
def test_a_page_is_right_after_redis_died_and_forgot_everything(trial: Trial, browser: Browser) -> None:
    person = trial.person()
    with device(browser, trial, person) as page:
        outcome = person.ask("chunks=8,every=20,gate=forgetful")
        is_shown(page)
        trial.redis.kill()
        trial.redis.start()
        trial.redis.empty()
        trial.model.open_gate("forgetful")
        shows_all_of_it(page, person, outcome)
    trial.check().must_be_clean()


@mostly_on("sqlite")
def test_a_page_shows_the_second_attempt_alone_when_the_worker_died(trial: Trial, browser: Browser) -> None:
    person = trial.person()
    with device(browser, trial, person) as page:
        outcome = person.ask("chunks=6,every=20,gate=dying")
        is_shown(page)
        trial.kill_worker()
        trial.programs["worker"].start()
        trial.model.open_gate("dying")
        shows_all_of_it(page, person, outcome)
        assert person.reply(outcome)["attempt"] == 2
    trial.check().must_be_clean()


@mostly_on("sqlite")
def test_a_page_that_slept_across_the_end_wakes_up_right(trial: Trial, browser: Browser) -> None:
    person = trial.person()
    with device(browser, trial, person) as page:
        outcome = person.ask("chunks=6,every=20,gate=asleep")
        is_shown(page)
        page.context.new_cdp_session(page).send("Page.setWebLifecycleState", {"state": "frozen"})
        trial.programs["realtime"].kill()  # as if the laptop had left its network
        trial.model.open_gate("asleep")
        eventually(lambda: person.reply(outcome)["status"] == "completed", within=10)
        trial.programs["realtime"].start()
        page.context.new_cdp_session(page).send("Page.setWebLifecycleState", {"state": "active"})
        shows_all_of_it(page, person, outcome)
    trial.check().must_be_clean()
