"""Checks passwords: a few at a time, and ever slower for a client that guesses. Nobody is locked out (D-133, D-134)."""

import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from flask import current_app

from api.access.address import client_address
from api.access.limits import Limit, limits, refuse_for, spend
from shared import passwords
from shared.errors.requests import TooManySignIns

# Hashes that one process computes at a time. Each takes 46 MiB and a whole core.
_AT_A_TIME = 2
# Requests that may hash or wait for it, of all addresses and of one. Further ones are refused at once, so that threads
# stay free for other requests.
_MOST, _MOST_OF_ONE = 4, 2


class HashingPlace:
    """The small place where one process hashes passwords. At most half of the threads can be in it."""

    def __init__(self, threads: int) -> None:
        self._most = max(1, min(_MOST, threads // 2))
        self._inside: Counter[str] = Counter()
        self._lock = threading.Lock()
        self._turns = threading.BoundedSemaphore(_AT_A_TIME)

    @contextmanager
    def turn(self, whose: str) -> Iterator[None]:
        """Wait for a turn to hash. Raises TooManySignIns at once if too many wait."""
        with self._lock:
            if self._inside.total() >= self._most or self._inside[whose] >= _MOST_OF_ONE:
                raise TooManySignIns
            self._inside[whose] += 1
        try:
            with self._turns:
                yield
        finally:
            with self._lock:
                self._inside[whose] -= 1
                self._inside += Counter()  # forgets the addresses that are not inside


def new_hash(password: str) -> str:
    """The hash to store for a new account. Raises TooManySignIns, and TooManyRequests after too many sign-ups."""
    address = client_address()
    with _place().turn(address):
        spend(Limit.SIGN_UPS, address)
        return passwords.hash_password(password)


def password_fits(password: str, stored: str | None, email: str) -> bool:
    """Whether this is the stored password. Raises TooManySignIns, and TooManyRequests after too many wrong ones.

    An email without an account is counted as well. Otherwise the answers would tell which accounts exist.
    """
    address = client_address()
    with _place().turn(address):
        _require_patience(email, address)
        fits = passwords.password_fits(password, stored)
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
