"""A person who writes, and who searches what was written."""

from collections.abc import Callable
from typing import Any

import pytest
from flask.testing import FlaskClient

Search = Callable[..., list[Any]]


@pytest.fixture
def search(me: FlaskClient) -> Search:
    """`search("a word")` is all that the user finds, page by page."""

    def all_pages(q: str, **asked: Any) -> list[Any]:
        items, cursor = list[Any](), None
        while True:
            asked |= {"cursor": cursor} if cursor else {}
            answer = me.get("/search", query_string={"q": q, **asked})
            assert answer.status_code == 200, answer.text
            items += answer.json["items"]
            cursor = answer.json["nextCursor"]
            if cursor is None:
                return items

    return all_pages


@pytest.fixture
def found(search: Search) -> Callable[[str], list[str]]:
    """`found("a word")` are the snippets of all that the user finds, with what matches in brackets."""
    return lambda q: [marked(item) for item in search(q)]


def marked(item: Any) -> str:
    return "".join(f"[{part['text']}]" if part["match"] else part["text"] for part in item["snippet"])
