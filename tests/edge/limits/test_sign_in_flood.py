"""Fifty people sign in at once, all the time. Somebody else's requests hardly notice it (D-111)."""

import http.client
import json
import threading
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest

from shared.command.up import read_procfile
from tests.edge.bystander import Bystander
from tests.environment import environment
from tests.eventually import eventually, joined
from tests.factories import on_sqlite_only
from tests.services.guard import Guard
from tests.services.programs import ROOT, bare_environment, free_port
from tests.services.service import Service

pytestmark = [on_sqlite_only, pytest.mark.long]
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


@pytest.fixture
def web(guard: Guard, database_url: str, redis_url: str, tmp_path: Path) -> Iterator[str]:
    port = free_port()
    settings = environment(database_url, redis_url, tmp_path, "http://127.0.0.1:1") | {"PORT": str(port)}
    command = read_procfile(ROOT / "Procfile")["web"]
    with Service(guard, "edge-web", command, environment={**bare_environment(), **settings}) as service:
        url = f"http://127.0.0.1:{port}"
        eventually(lambda: service.must_live() and answers(url), within=30)
        yield url


def answers(url: str) -> bool:
    try:
        return httpx2.get(f"{url}/healthz").status_code == 200
    except httpx2.TransportError:
        return False


def test_fifty_sign_ins_at_once_leave_others_their_answers(web: str) -> None:
    body = {"email": "ada@example.org", "password": "a long and private password"}
    token = httpx2.post(f"{web}/auth/sign-up", json=body).json()["accessToken"]
    with Bystander(web, "/chats", token) as bystander:
        bystander.asks(100)
        quiet = bystander.asks(300)
        with People(int(web.rpartition(":")[2])) as people:
            eventually(
                lambda: people.answers.total() >= PEOPLE
            )  # the first moment is a burst, which Retry-After spreads
            seen = bystander.asks(1000)
    print(f"quiet: {quiet}; meanwhile: {seen}; answers: {dict(people.answers)}")
    assert people.answers.keys() == {401, 429}
    assert seen.problems == []
    assert seen.p99 <= MOST * quiet.p99
