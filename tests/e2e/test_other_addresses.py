"""Other addresses than localhost: another name of this machine, another site's page, one name behind a proxy."""

import re
import shutil
from collections.abc import Iterator
from contextlib import ExitStack

import httpx2
import pytest
from playwright.sync_api import Browser, Page, expect

from tests.e2e.other_site import OtherSite, other_site
from tests.e2e.person import Person
from tests.eventually import eventually, patience
from tests.services.browser import ANOTHER_NAME
from tests.services.guard import Guard
from tests.services.programs import ROOT, Programs, free_port
from tests.services.service import Service
from tests.the_page import newest_reply, sign_in, write

pytestmark = pytest.mark.parametrize("programs", ["sqlite"], indirect=True)


def test_the_page_works_under_another_name_of_the_machine(browser: Browser, programs: Programs, person: Person) -> None:
    url = programs.url.replace("127.0.0.1", ANOTHER_NAME)
    with browser.new_context(base_url=url) as context:
        use(context.new_page(), person)


def test_the_page_of_another_site_signs_in_posts_and_listens(
    browser: Browser, programs: Programs, person: Person, listed_site: OtherSite
) -> None:
    api = programs.url.replace("127.0.0.1", "localhost")
    with browser.new_context() as context:
        page = context.new_page()
        page.goto(listed_site.show(api, person.email, person.password))
        expect(page.locator("pre")).to_have_text(
            re.compile(r"refreshed\nconnected\n(?=.*first 202 null\n)(?=.*second 202 true\n).*completed\n", re.DOTALL)
        )


def test_the_page_of_a_site_that_is_not_listed_reads_nothing(
    browser: Browser, programs: Programs, person: Person
) -> None:
    api = programs.url.replace("127.0.0.1", "localhost")
    with other_site() as site, browser.new_context() as context:
        page = context.new_page()
        page.goto(site.show(api, person.email, person.password))
        expect(page.locator("pre")).to_have_text("TypeError: Failed to fetch")


@pytest.fixture
def behind_caddy(guard: Guard, programs: Programs) -> Iterator[str]:
    """The address of a proxy with TLS of its own. Its file is the one of the documents."""
    url = f"https://localhost:{free_port()}"
    own = {"HOLDFAST_PUBLIC_URL": url, "HOLDFAST_TRUSTED_PROXIES": "1"}
    ports = {"web": str(free_port()), "realtime": str(free_port())}
    file = guard.folder / "Caddyfile"
    file.write_text(caddyfile(url, ports))
    home = {"HOME": str(guard.folder), "XDG_DATA_HOME": str(guard.folder), "XDG_CONFIG_HOME": str(guard.folder)}
    caddy = f"{shutil.which('caddy', path=programs.environment['PATH'])} run --config {file} --adapter caddyfile"
    with ExitStack() as stack:
        servers = [
            programs.another("web", PORT=ports["web"], **own),
            programs.another("realtime", REALTIME_PORT=ports["realtime"], **own),
            Service(guard, "caddy", caddy, environment=programs.environment | home),
        ]
        for server in servers:
            stack.enter_context(server)
        urls = [f"http://127.0.0.1:{port}" for port in ports.values()] + [url]
        eventually(lambda: all(server.must_live() for server in servers) and all(map(answers, urls)), within=30)
        yield url


def caddyfile(url: str, ports: dict[str, str]) -> str:
    text = (ROOT / "docs" / "proxy" / "Caddyfile").read_text()
    for old, new in (("chat.example.com", url), (":8001", f":{ports['realtime']}"), (":8000", f":{ports['web']}")):
        assert old in text
        text = text.replace(old, new)
    # certificates of an authority of its own, no port but ours, and no change to this machine
    options = "{\n\tadmin off\n\tskip_install_trust\n\tlocal_certs\n\tauto_https disable_redirects\n"
    assert text.count("\n{\n") == 1
    return text.replace("{\n", options, 1)


def answers(url: str) -> bool:
    try:
        return httpx2.get(f"{url}/healthz", verify=False, timeout=patience(2)).status_code == 200
    except httpx2.TransportError:
        return False


def test_one_name_behind_a_proxy_with_tls(browser: Browser, behind_caddy: str, person: Person) -> None:
    with browser.new_context(base_url=behind_caddy, ignore_https_errors=True) as context:
        page = context.new_page()
        use(page, person)
        assert page.evaluate("fetch('/config').then((answer) => answer.json())")["realtimeUrl"] == behind_caddy
        (cookie,) = context.cookies(f"{behind_caddy}/auth")
        assert (cookie["secure"], cookie["httpOnly"]) == (True, True)
    with httpx2.Client(base_url=behind_caddy, verify=False, timeout=patience(5)) as http:
        wide = {"X-One": 15_000 * "x", "X-Two": 15_000 * "x"}
        assert http.get("/config", headers=wide).status_code == 200
        upgrade = {"Connection": "Upgrade", "Upgrade": "x"}
        assert http.post("/auth/sign-out", json={}, headers=upgrade).status_code == 204


def use(page: Page, person: Person) -> None:
    sign_in(page, person)  # waits for the socket
    page.locator("[data-test=new-chat]").click()
    write(page, "Hello from elsewhere")
    expect(newest_reply(page)).to_have_attribute("data-status", "completed")
