"""Store passwords so that they can't be read back: argon2id, through argon2-cffi."""

from functools import cache
from threading import BoundedSemaphore

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

# KiB, rounds, lanes: the first choice of OWASP's Password Storage Cheat Sheet. Buffers above 32 MiB are given back
# to the system at once; smaller ones would stay with each thread that ever hashed.
_hasher = PasswordHasher(memory_cost=47_104, time_cost=1, parallelism=1)
# How many at once: each takes its memory and a core while it lasts, and posts must go on beside a flood of sign-ins.
_turns = BoundedSemaphore(2)


def hash_password(password: str) -> str:
    """What to store."""
    with _turns:
        return _hasher.hash(password)


def password_fits(password: str, stored: str | None) -> bool:
    """Whether it is the one that was stored. Takes as long where nothing was, so that nobody can tell."""
    known = stored or _nobodys_hash()
    try:
        with _turns:
            return _hasher.verify(known, password) and stored is not None
    except (VerificationError, InvalidHashError):
        return False


@cache
def _nobodys_hash() -> str:
    return hash_password("nobody's password")
