"""Fifty people sign in at once, all the time. Somebody else's requests hardly notice it (D-111)."""

import http.client
import json
import threading
from collections import Counter

import pytest

from tests.edge.bystander import Bystander
from tests.edge.web.web_server import WebServer
from tests.eventually import eventually, joined

pytestmark = pytest.mark.long
PEOPLE = 50
# The p99 may be three times the quiet one. Two cores also carry the fifty, and the neighbours of the test.
MOST = 6.0
NOBODY = {"email": "nobody@example.org", "password": "a long and wrong password"}


class People:
    """Each one signs in again as soon as the server's `Retry-After` is over."""

    def __init__(self, port: int) -> None:
        self.answers = Counter[int]()
        self._port, self._over = port, threading.Event()
        self._threads = [threading.Thread(target=self._sign_in_again_and_again) for _ in range(PEOPLE)]

    def __enter__(self) -> "People":
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        joined(*self._threads, within=30)

    def _sign_in_again_and_again(self) -> None:
        while not self._over.is_set():
            connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=60)
            connection.request("POST", "/auth/sign-in", json.dumps(NOBODY), {"Content-Type": "application/json"})
            answer = connection.getresponse()
            answer.read()
            connection.close()
            self.answers[answer.status] += 1
            self._over.wait(float(answer.headers.get("Retry-After", 0)))


def test_fifty_sign_ins_at_once_leave_others_their_answers(web: WebServer) -> None:
    with Bystander(web.url, "/chats", web.sign_up("ada@example.org")) as bystander:
        bystander.asks(100)
        quiet = bystander.asks(300)
        with People(web.port) as people:
            # The first moment is a burst. From then on, Retry-After spreads the sign-ins
            eventually(lambda: people.answers.total() >= PEOPLE)
            seen = bystander.asks(1000)
    print(f"quiet: {quiet}; meanwhile: {seen}; answers: {dict(people.answers)}")
    assert people.answers.keys() == {401, 429}
    assert seen.problems == []
    assert seen.p99 <= MOST * quiet.p99
