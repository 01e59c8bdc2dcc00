"""The size of every value is checked before any work on it: each field of each route, with hostile values.

The table counts the CPU time of the thread that answers, so a busy machine makes little difference.
"""

import json
import time
from collections.abc import Callable, Iterable

import pytest
from flask import Flask

from shared.models import ChatSession
from tests.edge.values.places import HEADERS, Json, Place, Value, places
from tests.factories import a_chat, on_sqlite_only, signed_in, the_user

# Nothing of this depends on the database.
pytestmark = [on_sqlite_only, pytest.mark.settings(signup_credits=30_000, max_waiting_replies=10_000)]

# Seconds of CPU for one request.
_MOST = 0.05
# The fastest of so many tries counts, because the collector of garbage may run in one of them.
_TRIES = 4
#: Characters: as long as a field may be, as an address, as most bodies (of two bytes or one), as a message, too long.
LENGTHS = (250, 1_000, 7_900, 13_000, 25_000, 200_000, 2_000_000)

#: Texts, made of a few characters again and again. NFC is quadratic for the first two.
TEXTS = {
    "combining marks in the wrong order": "\u0301\u0316",
    "letters with many marks": "a\u0315\u0300\u05ae\u0316",
    "one letter": "a",
    "right-to-left": "\u202e\u05d0",
    "emoji": "\U0001f600",
    "capitals that grow": "\u0130",
    "blanks": " \t\u00a0\u3000",
    "invisible": "\u200b\u3164",
    "control characters": "\0\x1b\r\n",
    "halves of pairs": "\ud83d",
    "at signs": "a@",
    "quotes and backslashes": '\\"',
    "digits": "9",
    "separators": "[{,;=",
    "dots": "a.",
    "international names": "xn--9.",
}


def nested(opened: str, closed: str) -> Callable[[int], str]:
    return lambda size: (opened * (size // len(opened + closed))) + closed * (size // len(opened + closed))


def listed(item: str) -> Callable[[int], str]:
    return lambda size: "[" + ",".join([item] * (size // (len(item) + 1))) + "]"


def keys(size: int) -> str:
    return ",".join(f'"{key:x}":1' for key in range(size // 9))


#: JSON of about a size, in place of the text of a field.
VALUES: dict[str, Callable[[int], str]] = {
    "a deep list": nested("[", "]"),
    "a deep object": nested('{"a":', "}"),
    "deep lists beside each other": listed("[" * 400 + "]" * 400),
    "empty lists": listed("[]"),
    "empty objects": listed("{}"),
    "empty strings": listed('""'),
    "numbers": listed("1"),
    "fractions": listed("1.5"),
    "long numbers": listed("9" * 4000),
    "one long number": lambda size: "9" * size,
    "one long fraction": lambda size: "0." + "9" * size,
    "a large exponent": lambda size: "1e" + "9" * size,
    "many keys": lambda size: "{" + keys(size) + "}",
    "one key twice": lambda size: "{" + ",".join(['"a":1'] * (size // 6)) + "}",
    "a long key": lambda size: f'{{"{"k" * size}": 1}}',
    "a number and many unknown fields": lambda size: f"1,{keys(size)}",
    "a string without an end": lambda size: '"' + '\\"' * (size // 2),
}


class Attacker:
    """Sends requests to the app without a server, and complains about those that cost too much."""

    def __init__(self, app: Flask, chat: ChatSession) -> None:
        self._app, self._chat_id = app, chat.id
        client = signed_in(app, the_user(chat.owner_id))
        self._authorization = client.environ_base["HTTP_AUTHORIZATION"]
        self.places = places(client.get("/openapi.json").json)

    def complaints(self, value: Value, where: Iterable[Place]) -> dict[str, str]:
        found = {str(place): self._complaint(place, value) for place in where}
        return {place: complaint for place, complaint in found.items() if complaint}

    def _complaint(self, place: Place, value: Value) -> str:
        seconds, status, answer = self._send(place, value)
        for _ in range(_TRIES - 1):
            if seconds > _MOST:
                seconds = min(seconds, self._send(place, value)[0])
        if seconds > _MOST:
            return f"{seconds:.3f} s of CPU, {status}"
        refused = status[0] == "4" and len(answer) < 2000 and json.loads(answer)["code"]
        return "" if refused or status[0] in "23" else f"{status} {answer[:100]!r}"

    def _send(self, place: Place, value: Value) -> tuple[float, str, bytes]:
        heard: list[str] = []
        environ = place.request(value, self._chat_id, self._authorization)
        began = time.thread_time()
        answer = self._app.wsgi_app(environ, lambda status, *_: heard.append(status))
        seconds = time.thread_time() - began
        return seconds, heard[0], b"".join(answer)


@pytest.fixture
def attacker(app: Flask, core: Flask) -> Attacker:
    return Attacker(app, a_chat())


@pytest.mark.parametrize("what", TEXTS)
def test_it_costs_little_that_a_text_is(what: str, attacker: Attacker) -> None:
    for length in LENGTHS:
        value = Value((TEXTS[what] * length)[:length])
        # no server passes on a header or an address of megabytes
        where = [place for place in attacker.places if place.inside == "body" or length <= 200_000]
        assert attacker.complaints(value, where) == {}, length


@pytest.mark.parametrize("what", VALUES)
def test_it_costs_little_that_a_body_has(what: str, attacker: Attacker) -> None:
    for size in (3_900, 28_000, 1_190_000, 2_000_000):
        where = [place for place in attacker.places if place.inside == "body"]
        assert attacker.complaints(Json(VALUES[what](size)), where) == {}, size


def test_the_table_has_every_field(attacker: Attacker) -> None:
    found = {(place.path, place.inside, place.name) for place in attacker.places}
    assert {("/auth/sign-in", "body", "email"), ("/chats", "query", "cursor"), ("/sync", "query", "after")} <= found
    assert ("/chats/{sessionId}/messages/{messageId}", "path", "messageId") in found
    assert ("/chats/{sessionId}", "body", "settings.instructions") in found
    assert {name for _, inside, name in found if inside == "header"} == set(HEADERS)


def test_every_text_that_a_client_sends_has_a_maximum(attacker: Attacker) -> None:
    fields = [place for place in attacker.places if place.inside in ("body", "query")]  # an address has one as a whole
    texts = {str(place): place.shape for place in fields if "string" in place.shape["type"]}
    texts = {place: shape for place, shape in texts.items() if shape.get("format") != "uuid"}  # that is a maximum
    assert [place for place, shape in texts.items() if "maxLength" not in shape] == []
    assert len(texts) > 12
