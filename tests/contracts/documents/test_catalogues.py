"""The documents that client authors read list exactly the events and errors of the code."""

import re
from pathlib import Path

import pytest

from api.http.errors import STATUS
from scripts import events
from shared.errors.base import HoldfastError
from shared.errors.catalogue import catalogue
from shared.errors.replies import ReplyError
from shared.wire.events import CATALOGUE

ROOT = Path(__file__).parents[3]
CODE = [file for folder in ("api", "shared", "workers") for file in (ROOT / folder).rglob("*.py")]
CLIENT = ROOT / "api" / "client"
EVENT = re.compile(r'"((?:chat|credits|message|socket)\.\w+)"')


def first_columns(document: str, heading: str = "# Events") -> list[list[str]]:
    """The rows of the tables between a heading and the next one. Their cells come without backticks."""
    text = (ROOT / "docs" / document).read_text()
    part = re.split(r"^## ", text.partition(heading)[2], flags=re.MULTILINE)[0]
    rows = [line.strip("|").split("|") for line in part.splitlines() if line.startswith("| `")]
    return [[cell.strip().strip("`") for cell in row] for row in rows]


def test_every_event_is_listed_and_nothing_else() -> None:
    assert [row[0] for row in first_columns("events.md")] == list(CATALOGUE)


@pytest.mark.parametrize("name", CATALOGUE)
def test_every_event_is_sent_somewhere(name: str) -> None:
    sent = re.compile(rf'"{re.escape(name)}"(?!: Kind)')  # the event's entry in the catalogue does not count
    assert any(sent.search(file.read_text()) for file in CODE)


def test_no_other_event_is_sent() -> None:
    assert {name for file in CODE for name in EVENT.findall(file.read_text())} <= CATALOGUE.keys()


@pytest.mark.parametrize("name", [name for name in CATALOGUE if name != "socket.closing"])
def test_the_page_hears_every_event(name: str) -> None:
    """The page hears all but `socket.closing`: the disconnection tells it that its socket was closed."""
    assert any(f'"{name}"' in (CLIENT / file).read_text() for file in ("main.js", "state/store.js"))


def test_every_error_of_a_request_is_listed_with_its_status() -> None:
    listed = {row[0]: int(row[1]) for row in first_columns("errors.md", "## Of a request")}
    of_requests = [kind for kind in catalogue().values() if not issubclass(kind, ReplyError)]
    assert listed == {kind.code: STATUS.get(kind, 500) for kind in of_requests}


def test_every_error_of_a_reply_is_listed_with_whether_asking_again_helps() -> None:
    listed = {row[0]: row[1] == "yes" for row in first_columns("errors.md", "## Of a reply")}
    of_replies = [kind for kind in catalogue().values() if issubclass(kind, ReplyError) and kind is not ReplyError]
    assert listed == {kind.code: kind.retryable for kind in of_replies}


def test_every_error_says_what_to_do() -> None:
    for kind in catalogue().values():
        assert kind.__doc__, kind
        assert kind.detail.endswith("."), kind


@pytest.mark.parametrize("kind", catalogue().values(), ids=lambda kind: kind.code)
def test_every_error_is_raised_somewhere(kind: type[HoldfastError]) -> None:
    not_there = ROOT / "shared" / "errors"
    raised = re.compile(rf"\b{kind.__name__}\b(?!: \d)")  # its entry of the table of statuses does not count
    used = [file for file in CODE if raised.search(file.read_text())]
    assert [file for file in used if not_there not in file.parents]


def test_only_the_catch_all_error_answers_500() -> None:
    of_requests = [kind for kind in catalogue().values() if not issubclass(kind, ReplyError)]
    assert [kind for kind in of_requests if kind not in STATUS] == [HoldfastError]


def test_the_events_table_and_the_clients_types_are_as_the_catalogue_makes_them() -> None:
    assert events.DOCUMENT.read_text() == events.document(events.DOCUMENT.read_text()), "run `make events`"
    assert events.TYPES.read_text() == events.types(), "run `make events`"
    assert "| `message.delta` | `messageId`" in events.document(events.DOCUMENT.read_text())
