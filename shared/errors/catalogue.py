"""The catalogue of errors: every code with its class."""

from collections.abc import Iterator
from functools import cache
from types import ModuleType

from shared.errors import chats, replies, requests
from shared.errors.base import HoldfastError


@cache
def catalogue() -> dict[str, type[HoldfastError]]:
    """Every code with its class. A class that only groups others has no code of its own, and is left out."""
    found = {HoldfastError.code: HoldfastError}
    for kind in (*_kinds_in(requests), *_kinds_in(chats), *_kinds_in(replies)):
        found.setdefault(kind.code, kind)
    return found


def _kinds_in(module: ModuleType) -> Iterator[type[HoldfastError]]:
    for value in vars(module).values():
        if isinstance(value, type) and issubclass(value, HoldfastError):
            yield value
