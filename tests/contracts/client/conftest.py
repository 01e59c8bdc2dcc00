"""The recorder of the kit, and a blank page that plays scripts."""

from collections.abc import Iterator

import pytest
from flask import Flask
from playwright.sync_api import Browser, Page

from shared.core import current_link
from shared.settings import Settings
from tests.channel import Channel
from tests.contracts.client_kit.recorder import Recorder
from tests.factories import a_user, signed_in
from tests.services.client_page import client_page


@pytest.fixture
def recorder(app: Flask, core: Flask, settings: Settings) -> Iterator[Recorder]:
    user = a_user()
    with Channel(current_link(), settings.redis_url) as channel:
        yield Recorder(signed_in(app, user), user, channel)


@pytest.fixture(scope="module")
def page(browser: Browser) -> Iterator[Page]:
    with client_page(browser) as page:
        yield page
