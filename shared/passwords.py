"""Hashes passwords with argon2id, so that nobody can read them back.

A hash takes a whole core. `api/access/passwords.py` bounds how many the API computes at a time.
"""

from functools import cache

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

# KiB, rounds, lanes: the first choice of OWASP's Password Storage Cheat Sheet (D-27). Buffers above 32 MiB go back to
# the system at once. A smaller one would stay with each thread that ever hashed.
_hasher = PasswordHasher(memory_cost=47_104, time_cost=1, parallelism=1)


def hash_password(password: str) -> str:
    """The hash to store in place of this password."""
    return _hasher.hash(password)


def password_fits(password: str, stored: str | None) -> bool:
    """Whether this is the stored password.

    Without a stored hash it takes just as long, so that nobody can tell whether the account exists.
    """
    known = stored or _nobodys_hash()
    try:
        return _hasher.verify(known, password) and stored is not None
    except (VerificationError, InvalidHashError):
        return False


@cache
def _nobodys_hash() -> str:
    return hash_password("nobody's password")
