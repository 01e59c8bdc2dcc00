"""The catalogue of errors: every code with its class."""

from collections.abc import Iterator
from functools import cache
from itertools import chain
from types import ModuleType

from shared.errors import chats, control, replies, requests, server
from shared.errors.base import HoldfastError


@cache
def catalogue() -> dict[str, type[HoldfastError]]:
    """Every code with its class. A class that only groups others has no code of its own, and is left out."""
    found = {HoldfastError.code: HoldfastError}
    for kind in chain.from_iterable(map(_kinds_in, (requests, chats, control, server, replies))):
        found.setdefault(kind.code, kind)
    return found


def _kinds_in(module: ModuleType) -> Iterator[type[HoldfastError]]:
    for value in vars(module).values():
        if isinstance(value, type) and issubclass(value, HoldfastError):
            yield value
