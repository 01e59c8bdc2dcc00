"""One blank page for each test module. The page may import the client's modules."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page

from tests.services.client_page import client_page


@pytest.fixture(scope="module")
def page(browser: Browser) -> Iterator[Page]:
    with client_page(browser) as page:
        yield page
