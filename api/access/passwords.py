"""Checks passwords: a few at a time, and ever slower for a client that guesses. Nobody is locked out (D-110, D-111)."""

import os
import random
import sys
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from functools import wraps
from typing import Any, TypeVar

from flask import current_app

from api.access.address import client_address
from api.access.limits import Limit, limits, refuse_for, spend
from shared import passwords
from shared.errors.requests import TooManySignIns

T = TypeVar("T")
View = Callable[..., Any]
# Hashes that one process computes at a time. Each takes 46 MiB and a whole core.
_AT_A_TIME = 2
# Requests that may hash or wait for it, of all addresses and of one. Further ones are refused at once, so that threads
# stay free for other requests.
_MOST, _MOST_OF_ONE = 4, 3
# Seconds. Refused clients wait for different times, up to this one. Otherwise all would come back at the same moment.
_LONGEST_WAIT = 4
# The system gives the threads that hash a smaller share of a busy core than the threads that answer: their niceness is
# higher than the process's by this much. The system's highest is 19.
_NICENESS, _NICEST = 5, 19


class HashingPlace:
    """The small place where one process hashes passwords. Requests in it take half of the process's threads at most."""

    def __init__(self, threads: int) -> None:
        self._most = max(1, min(_MOST, threads // 2))
        self._inside: Counter[str] = Counter()
        self._lock = threading.Lock()
        self._hashers = ThreadPoolExecutor(_AT_A_TIME, "hashing", initializer=_step_back)

    def require_room(self, whose: str) -> None:
        """Raises TooManySignIns if too many requests are inside, of all addresses or of this one."""
        if self._inside.total() >= self._most or self._inside[whose] >= _MOST_OF_ONE:
            raise TooManySignIns(retryAfter=random.randint(1, _LONGEST_WAIT))

    @contextmanager
    def entered(self, whose: str) -> Iterator[None]:
        """Be inside. Raises TooManySignIns at once if there is no room."""
        with self._lock:
            self.require_room(whose)
            self._inside[whose] += 1
        try:
            yield
        finally:
            with self._lock:
                self._inside[whose] -= 1
                self._inside += Counter()  # forgets the addresses that are not inside

    def compute(self, work: Callable[..., T], *args: Any) -> T:
        """The result of the work, in one of the threads that hash."""
        return self._hashers.submit(work, *args).result()


def _step_back() -> None:
    if sys.platform != "linux":  # elsewhere a thread has no niceness of its own
        return
    with suppress(OSError):  # a thread that cannot step back hashes all the same (D-186)
        lower = min(_NICEST, os.getpriority(os.PRIO_PROCESS, os.getpid()) + _NICENESS)
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), lower)


def checks_a_password(view: View) -> View:
    """The route hashes a password. Refuse it early while the place is full, before any other work (D-111)."""

    @wraps(view)
    def refusing(*args: Any, **kwargs: Any) -> Any:
        _place().require_room(client_address())
        return view(*args, **kwargs)

    return refusing


def new_hash(password: str) -> str:
    """The hash to store for a new account. Raises TooManySignIns, and TooManyRequests after too many sign-ups."""
    address = client_address()
    with _place().entered(address):
        spend(Limit.SIGN_UPS, address)
        return _place().compute(passwords.hash_password, password)


def password_fits(password: str, stored: str | None, email: str) -> bool:
    """Whether this is the stored password. Raises TooManySignIns, and TooManyRequests after too many wrong ones.

    An email without an account is counted as well. Otherwise the answers would tell which accounts exist.
    """
    address = client_address()
    with _place().entered(address):
        _require_patience(email, address)
        fits = _place().compute(passwords.password_fits, password, stored)
    if not fits:
        _note_guess(email, address)
    return fits


def _require_patience(email: str, address: str) -> None:
    """Raises TooManyRequests if this address has guessed too often.

    If all addresses together have guessed too often, that slows only those that have guessed before. The owner of the
    account comes from another address, and the first try of an address is always free.
    """
    both = f"{email} {address}"
    so_far = limits().look(Limit.MORE_GUESSES, both)
    waits = [so_far.retry_after, limits().look(Limit.GUESSES, both).retry_after]
    waits.append(limits().look(Limit.GUESSES_OF_ADDRESS, address).retry_after)
    if so_far.remaining < so_far.limit:
        waits.append(limits().look(Limit.GUESSES_OF_ACCOUNT, email).retry_after)
    refuse_for(max(waits))


def _note_guess(email: str, address: str) -> None:
    limits().spend(Limit.GUESSES_OF_ACCOUNT, email)
    limits().spend(Limit.GUESSES_OF_ADDRESS, address)
    limits().spend(Limit.MORE_GUESSES, f"{email} {address}")
    limits().spend(Limit.GUESSES, f"{email} {address}")


def _place() -> HashingPlace:
    found = current_app.extensions["hashing_place"]
    assert isinstance(found, HashingPlace)
    return found
