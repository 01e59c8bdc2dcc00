"""Hashing has a small place of its own: sign-ins that find no room there are refused, and hold nobody else up."""

import os
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import pytest
from flask import Flask

from api.access.passwords import HashingPlace
from shared import passwords
from shared.errors.requests import TooManySignIns
from shared.models import User
from tests.eventually import eventually, patience
from tests.factories import a_user, on_sqlite_only, signed_in

pytestmark = on_sqlite_only
ONE, OTHER = "198.51.100.1", "198.51.100.2"
AT_ONCE = 4  # of all addresses; and one less of one address


class SlowHashes:
    """Lets sign-ins begin to hash, and keeps them there until `go_on` is set."""

    def __init__(self, app: Flask) -> None:
        self._app = app
        self.hashing = threading.Semaphore(0)
        self.go_on = threading.Event()
        self.pool = ThreadPoolExecutor(AT_ONCE)

    def __call__(self, password: str, stored: str | None) -> bool:
        self.hashing.release()
        return not self.go_on.wait(patience(5))

    def begin(self, address: str) -> Future[int]:
        inside = self._app.extensions["hashing_place"]._inside
        before = inside.total()
        begun = self.pool.submit(lambda: int(self.sign_in(address).status_code))
        eventually(lambda: inside.total() > before)
        return begun

    def sign_in(self, address: str) -> Any:
        body = {"email": "ada@example.org", "password": "a guess"}
        return self._app.test_client().post("/auth/sign-in", json=body, environ_base={"REMOTE_ADDR": address})


@pytest.fixture
def hashes(app: Flask, core: Flask, monkeypatch: pytest.MonkeyPatch) -> Iterator[SlowHashes]:
    hashes = SlowHashes(app)
    monkeypatch.setattr(passwords, "password_fits", hashes)
    yield hashes
    hashes.go_on.set()
    hashes.pool.shutdown()


def assert_refused(answer: Any) -> None:
    assert (answer.status_code, answer.json["code"]) == (429, "too_many_sign_ins")
    assert 1 <= int(answer.headers["Retry-After"]) <= 4
    assert answer.headers["Retry-After"] == str(answer.json["retryAfter"])


def test_one_address_leaves_room_for_another_and_the_rest_is_refused_at_once(hashes: SlowHashes, app: Flask) -> None:
    inside = [hashes.begin(ONE) for _ in range(AT_ONCE - 1)]
    assert_refused(hashes.sign_in(ONE))
    inside.append(hashes.begin(OTHER))
    assert_refused(hashes.sign_in(OTHER))
    user: User = a_user()
    assert signed_in(app, user).get("/me").status_code == 200
    hashes.go_on.set()
    assert [entry.result(patience(10)) for entry in inside] == [401] * AT_ONCE
    assert hashes.sign_in(ONE).status_code == 401


def test_two_hashes_at_a_time_are_computed(hashes: SlowHashes) -> None:
    for _ in range(AT_ONCE - 1):
        hashes.begin(ONE)
    assert [hashes.hashing.acquire(timeout=patience(5)) for _ in range(2)] == [True, True]
    assert not hashes.hashing.acquire(blocking=False)


@pytest.mark.parametrize(("threads", "most"), [(1, 1), (2, 1), (4, 2), (8, 4), (64, 4)])
def test_at_most_half_of_the_threads_hash_or_wait_for_it(threads: int, most: int, database_url: str) -> None:
    place = HashingPlace(threads)
    entered = [place.entered(str(number)) for number in range(most)]
    for each in entered:
        each.__enter__()
    with pytest.raises(TooManySignIns), place.entered("another"):
        pass
    for each in entered:
        each.__exit__(None, None, None)
    assert not place._inside


@pytest.mark.parametrize(
    ("system", "own", "lower"),
    [("linux", 0, [5]), ("linux", 10, [15]), ("linux", 16, [19]), ("linux", 19, [19]), ("darwin", 0, [])],
)
def test_hashing_steps_back_behind_its_own_process(
    system: str, own: int, lower: list[int], monkeypatch: pytest.MonkeyPatch, database_url: str
) -> None:
    """Only on Linux a thread has a niceness of its own."""
    asked = list[int]()
    monkeypatch.setattr(sys, "platform", system)
    monkeypatch.setattr(os, "getpriority", lambda _which, _who: own)
    monkeypatch.setattr(os, "setpriority", lambda _which, _who, niceness: asked.append(niceness))
    assert HashingPlace(8).compute(lambda: "done") == "done"
    assert asked == lower


def test_a_thread_that_may_not_step_back_hashes_all_the_same(
    monkeypatch: pytest.MonkeyPatch, database_url: str
) -> None:
    def refused(*_: Any) -> None:
        raise PermissionError("no CAP_SYS_NICE")

    monkeypatch.setattr(os, "setpriority", refused)
    place = HashingPlace(8)
    assert [place.compute(lambda: "done") for _ in range(3)] == ["done"] * 3
