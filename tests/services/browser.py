"""A real headless browser: the machine's Chromium, or else Playwright's own."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Browser, expect, sync_playwright

from tests.eventually import patience

# Milliseconds that a page may take to show an expected state.
_SHOWS = patience(5_000)
#: A name that the browser finds here. A browser trusts pages of such a name less than those of localhost.
ANOTHER_NAME = "holdfast.test"
_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


@contextmanager
def chromium() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        path = next(filter(None, map(shutil.which, _NAMES)), playwright.chromium.executable_path)
        assert Path(path).exists(), (
            "No Chromium here: run `apt-get install chromium`, or `.venv/bin/playwright install chromium`."
        )
        # Chromium's own sandbox refuses to start as root. The tests open only our own pages.
        args = ["--no-sandbox", f"--host-resolver-rules=MAP {ANOTHER_NAME} 127.0.0.1"]
        with playwright.chromium.launch(executable_path=path, args=args) as browser:
            expect.set_options(timeout=_SHOWS)
            yield browser
