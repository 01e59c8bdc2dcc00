"""The page and the server agree which text shows nothing. Otherwise the page offers what the server refuses."""

import sys

from playwright.sync_api import Page

from shared.text import visible

HALVES = range(0xD800, 0xE000)
BLANK = """async (end) => {
    const { showsNothing } = await import("/client/state/blank.js");
    const codes = Array.from({ length: end }, (_, code) => code);
    return codes.filter((code) => showsNothing(String.fromCodePoint(code)));
}"""


def test_the_page_and_the_server_have_the_same_characters_that_show_nothing(page: Page) -> None:
    codes = set(range(sys.maxunicode + 1)) - set(HALVES)
    shown = set(map(ord, visible("".join(map(chr, codes)))))
    # the server drops the halves of surrogate pairs before it looks
    assert page.evaluate(BLANK, sys.maxunicode + 1) == sorted(codes - shown | set(HALVES))
