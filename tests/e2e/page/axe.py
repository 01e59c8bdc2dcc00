"""The faults that axe, a checker of accessibility, finds on a page."""

from typing import Any

from playwright.sync_api import Page

from tests.services.programs import ROOT

AXE = (ROOT / "node_modules" / "axe-core" / "axe.min.js").read_text()
RUN = "([part, options]) => axe.run(part ?? document, options)"
#: The dark theme differs in colours alone.
THEMES: dict[Any, dict[str, Any]] = {"light": {}, "dark": {"runOnly": ["color-contrast"]}}


def wrong(page: Page, part: str | None = None) -> list[Any]:
    """The violations on the page as it is now, or in a part of it, in both themes."""
    found = []
    page.evaluate(AXE)
    for theme, options in THEMES.items():
        page.emulate_media(color_scheme=theme, reduced_motion="reduce")
        violations = page.evaluate(RUN, [part, options])["violations"]
        found += [(theme, one["id"], [node["html"] for node in one["nodes"]]) for one in violations]
    return found
