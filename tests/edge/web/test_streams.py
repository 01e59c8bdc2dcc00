"""An answer in pieces costs one piece of memory and no thread, however slow its client is."""

import json
import time
from collections.abc import Callable
from contextlib import ExitStack

import pytest

from tests.edge.bystander import Bystander
from tests.edge.web.web_server import WebServer, read_all, request
from tests.eventually import eventually

GENEROUS = 20
MEGABYTES = 1024 * 1024
READERS = 40


def an_export(web: WebServer, token: str, messages: int = 20) -> bytes:
    """A request for an export of so many messages with 100 KB each."""
    web.large_page(token, messages)
    return request("/export", token, "Connection: close")


def unchunked(answer: bytes) -> bytes:
    """The body of an answer in chunks. Raises ValueError if the answer breaks off."""
    _, _, rest = answer.partition(b"\r\n\r\n")
    body = b""
    while True:
        size, _, rest = rest.partition(b"\r\n")
        length = int(size, 16)
        body, rest = body + rest[:length], rest[length + 2 :]
        if not length:
            return body


@pytest.fixture(scope="module")
def impatient(start_web: Callable[..., WebServer]) -> WebServer:
    return start_web("impatient-streams", HOLDFAST_CLIENT_SECONDS="4")


def test_a_client_that_reads_gets_all_and_one_that_does_not_is_dropped(impatient: WebServer) -> None:
    asked = an_export(impatient, impatient.sign_up("streams@example.org"))
    with impatient.connect(asked, room=4096) as stuck, impatient.connect(asked) as reader:
        (chat,) = json.loads(unchunked(read_all(reader)))["chats"]
        assert [len(message["content"]) for message in chat["messages"][::2]] == [100_000] * 20
        eventually(lambda: not impatient.holds(stuck))
        with pytest.raises(ValueError, match="invalid literal"):
            unchunked(read_all(stuck))


def test_a_client_has_as_much_time_as_it_needs_at_a_steady_pace(impatient: WebServer) -> None:
    asked = an_export(impatient, impatient.sign_up("steady@example.org"))
    with impatient.connect(asked, room=4096) as client:
        begun = b""
        for _ in range(60):  # longer than the server waits for a piece
            begun += client.recv(16 * 1024)
            time.sleep(0.1)
        (chat,) = json.loads(unchunked(begun + read_all(client)))["chats"]
    assert len(chat["messages"]) == 40


def test_others_do_not_wait_for_exports_that_nobody_reads(web: WebServer) -> None:
    asked = an_export(web, web.sign_up("stuck@example.org"))
    before = web.memory
    with Bystander(web.url, "/me", web.sign_up("not-stuck@example.org")) as other, ExitStack() as stack:
        quiet = other.asks(60)
        for _ in range(READERS):
            stack.enter_context(web.connect(asked, room=4096))
        busy = other.asks(60)
        assert web.memory - before < 100 * MEGABYTES
    assert busy.p99 <= GENEROUS * quiet.p99, f"quiet: {quiet}; busy: {busy}"
