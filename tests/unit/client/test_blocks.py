"""A reply is laid out for readers of each direction, of a small screen, and of a keyboard alone."""

from typing import Any

from playwright.sync_api import Page

SHOW = """async (text) => {
    const { render } = await import("/client/views/markdown.js");
    const content = document.createElement("div");
    content.append(render(text));
    document.body.replaceChildren(content);
    return [...content.querySelectorAll("*")].map((element) => ({
        name: element.localName,
        text: element.textContent,
        direction: getComputedStyle(element).direction,
        reached: element.tabIndex === 0,
    }));
}"""


def blocks(page: Page, text: str, *names: str) -> list[Any]:
    return [block for block in page.evaluate(SHOW, text) if block["name"] in names]


def test_each_block_takes_its_direction_from_its_own_words(page: Page) -> None:
    text = "Hello\n\n`print` שלום\n\n- פריט\n\n> مرحبا\n\n| שם |\n|--|\n| a |"
    found = [block["direction"] for block in blocks(page, text, "p", "ul", "blockquote", "table")]
    assert found == ["ltr", "rtl", "rtl", "rtl", "rtl", "rtl"], "the quote has a paragraph"


def test_code_keeps_its_direction_in_any_text(page: Page) -> None:
    text = "שלום `קוד`\n\n```\n שלום\n```\n\n- פריט\n\n      קוד"
    assert {block["direction"] for block in blocks(page, text, "pre", "code")} == {"ltr"}


def test_what_is_wider_than_the_page_can_be_reached_and_scrolled_by_keyboard(page: Page) -> None:
    assert [block["reached"] for block in blocks(page, "```\ncode\n```\n\n| a |\n|--|\n| b |", "pre", "div")] == [
        True,
        True,
    ]


def test_headings_stand_below_the_speaker_and_skip_no_rank(page: Page) -> None:
    text = "#### a\n\n# b\n\n### c\n\n## d\n\n###### e\n\n# f"
    ranks = {block["text"]: block["name"] for block in blocks(page, text, *(f"h{rank}" for rank in range(1, 7)))}
    assert ranks == {"a": "h3", "b": "h3", "c": "h4", "d": "h4", "e": "h5", "f": "h3"}


# Fills an element of the page's own that is there before its text, as the views do.
FILL = """(texts) => {
    const element = Object.assign(document.createElement("p"), { dir: "auto" });
    document.body.replaceChildren(element);
    return texts.map((text) => {
        element.textContent = text;
        return getComputedStyle(element).direction;
    });
}"""


def test_an_element_that_is_filled_later_takes_the_direction_of_each_text(page: Page) -> None:
    assert page.evaluate(FILL, ["", "שלום", "hello", "مرحبا"]) == ["ltr", "rtl", "ltr", "rtl"]
