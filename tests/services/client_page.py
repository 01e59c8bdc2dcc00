"""The page's modules in a real browser. They come from the files, with the page's real headers and no server."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from flask import Flask
from flask.testing import FlaskClient
from playwright.sync_api import Browser, Page, Route

from api.pages.files import pages
from shared.settings import load_settings

ORIGIN = "http://holdfast.test"


@contextmanager
def client_page(browser: Browser) -> Iterator[Page]:
    """A blank page that may import `/client/….js`. All its other requests are refused."""
    with pytest.MonkeyPatch.context() as environment, browser.new_page() as page:
        environment.setenv("HOLDFAST_ENV", "test")
        files = Flask(__name__, static_folder=None)
        files.config["HOLDFAST"] = load_settings()
        files.register_blueprint(pages)
        page.route("**/*", lambda route: _answer(route, files.test_client()))
        page.goto(ORIGIN)
        yield page


def _answer(route: Route, files: FlaskClient) -> None:
    if not route.request.url.startswith(ORIGIN):
        return route.abort()
    path = route.request.url.removeprefix(ORIGIN)
    answer = files.open(path, method=route.request.method, buffered=True)
    return route.fulfill(status=answer.status_code, headers=dict(answer.headers), body=answer.data)
