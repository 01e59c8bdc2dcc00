"""Hashes passwords with argon2id, so that nobody can read them back.

A hash takes a whole core. `api/access/passwords.py` bounds how many the API computes at a time.
"""

import unicodedata
from functools import cache

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

# KiB, rounds, lanes: the first choice of OWASP's Password Storage Cheat Sheet (D-27). Buffers above 32 MiB go back to
# the system at once. A smaller one would stay with each thread that ever hashed.
_hasher = PasswordHasher(memory_cost=47_104, time_cost=1, parallelism=1)


def hash_password(password: str) -> str:
    """The hash to store in place of this password."""
    return _hasher.hash(_composed(password))


def password_fits(password: str, stored: str | None) -> bool:
    """Whether this is the stored password.

    Without a stored hash it takes just as long, so that nobody can tell whether the account exists. A hash of an older
    version is of the password as it was sent, so that form is tried too (D-106).
    """
    known = stored or _nobodys_hash()
    forms = dict.fromkeys((_composed(password), password))
    return any(_is_hash_of(form, known) for form in forms) and stored is not None


def _composed(password: str) -> str:
    """The password in NFC. Two keyboards may write the same letters as different characters."""
    return unicodedata.normalize("NFC", password)


def _is_hash_of(password: str, known: str) -> bool:
    try:
        return _hasher.verify(known, password)
    except (VerificationError, InvalidHashError):
        return False


@cache
def _nobodys_hash() -> str:
    return hash_password("nobody's password")
