"""The tests' bystander tells how long each of its requests took."""

import math
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from tests.edge.bystander import Bystander
from tests.eventually import eventually


class _Door(BaseHTTPRequestHandler):
    """Answers while the door is open, and lets everybody wait while it is shut."""

    opened = threading.Event()
    asked = 0

    def do_GET(self) -> None:
        _Door.asked += 1
        self.opened.wait()
        self.send_response(200 if self.headers["Authorization"] == "Bearer mine" else 401)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def url() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), _Door) as server:
        _Door.opened.set()
        threading.Thread(target=server.serve_forever).start()
        yield f"http://127.0.0.1:{server.server_port}"
        _Door.opened.set()
        server.shutdown()


def test_it_asks_while_the_block_runs_and_counts_a_request_that_had_to_wait(url: str) -> None:
    with Bystander(url, token="mine") as other:
        quiet = other.asks(20)
        with other.watched(at_least=1) as seen:
            _Door.opened.clear()
            before = _Door.asked
            eventually(lambda: _Door.asked > before)
            threading.Event().wait(20 * quiet.p99)
            _Door.opened.set()
    assert len(quiet.seconds) == 20
    assert quiet.problems == []
    assert seen.p99 >= 20 * quiet.p99


def test_an_error_counts_as_no_answer(url: str) -> None:
    with Bystander(url, token="not mine") as other:
        seen = other.asks(3)
    assert seen.p50 == math.inf
    assert seen.problems == ["status 401"] * 3


def test_silence_counts_as_no_answer(url: str) -> None:
    with Bystander(url, timeout=0.05) as other:
        _Door.opened.clear()
        seen = other.asks(1)
    assert seen.p99 == math.inf
    assert "timed out" in str(seen)
