"""Answers in pieces: each is made once the client has taken the one before, and none for a client that is gone."""

import asyncio
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from api.serving.wsgi import Whole
from tests.unit.api.serving.turning import run

SCOPE: dict[str, Any] = dict.fromkeys(["method", "http_version", "scheme"], "x") | {
    "raw_path": b"/",
    "query_string": b"",
}
SCOPE |= {"headers": [], "server": ("h", 1), "client": ("c", 1), "state": {}}


class Client:
    """Takes the pieces one by one. `leaves_after` so many it is gone."""

    def __init__(self, made: list[str], leaves_after: int = 99) -> None:
        self.took: list[bytes] = []
        self.made_when_taken: list[int] = []
        self.ended = False
        self._made, self._leaves_after, self._asked = made, leaves_after, False
        self._gone = asyncio.Event()

    async def receive(self) -> dict[str, Any]:
        if self._asked:
            await self._gone.wait()
            return {"type": "http.disconnect"}
        self._asked = True
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(self, message: dict[str, Any]) -> None:
        await asyncio.sleep(0.01)  # a thread could make a piece too early meanwhile
        if message.get("body"):
            self.took.append(message["body"])
            self.made_when_taken.append(len(self._made))
        if len(self.took) >= self._leaves_after:
            self._gone.set()
        self.ended = message["type"] == "http.response.body" and not message.get("more_body")


def answer(pieces: Callable[[], Iterator[bytes]], made: list[str], leaves_after: int = 99, **headers: str) -> Client:
    def app(_environ: dict[str, Any], start: Any) -> Iterator[bytes]:
        start("200 OK", list(headers.items()))
        return pieces()

    async def serve() -> Client:
        client = Client(made, leaves_after)
        await Whole(app, 1, lambda _: "caller")(SCOPE, client.receive, client.send)
        return client

    return run(serve())


def five(made: list[str]) -> Iterator[bytes]:
    try:
        for number in range(5):
            made.append("piece")
            yield b"%d" % number
    finally:
        made.append("closed")


def test_a_piece_is_made_once_the_one_before_was_taken() -> None:
    made: list[str] = []
    client = answer(lambda: five(made), made)
    assert client.took == [b"0", b"1", b"2", b"3", b"4"]
    assert client.made_when_taken == [1, 2, 3, 4, 5]
    assert client.ended
    assert made[-1] == "closed"


def test_nothing_more_is_made_for_a_client_that_is_gone() -> None:
    made: list[str] = []
    client = answer(lambda: five(made), made, leaves_after=2)
    assert client.took == [b"0", b"1"]
    assert made == ["piece", "piece", "closed"]


def test_a_failure_on_the_way_does_not_end_the_answer_as_if_it_were_whole() -> None:
    def broken() -> Iterator[bytes]:
        yield b"half"
        raise ValueError("the database is away")

    made: list[str] = []
    with pytest.raises(ValueError, match="away"):
        answer(broken, made)


def test_an_answer_with_a_length_is_sent_whole() -> None:
    made: list[str] = []
    client = answer(lambda: five(made), made, **{"Content-Length": "5"})
    assert client.took == [b"01234"]
    assert made == ["piece"] * 5 + ["closed"]
