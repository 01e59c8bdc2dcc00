"""Keyset paging: a cursor names the last row of a page, so a page costs the same wherever it lies."""

import base64
import binascii
from collections.abc import Callable
from typing import Any, TypeVar

import msgspec

from shared.errors import InvalidRequest

T = TypeVar("T")


def encode_cursor(*values: object) -> str:
    """An opaque cursor for these values."""
    return base64.urlsafe_b64encode(msgspec.json.encode(values)).decode().rstrip("=")


def decode_cursor(cursor: str, shape: type[T]) -> T:
    """The values that encode_cursor() was given. Raises InvalidRequest for anything else."""
    try:
        data = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))
        return msgspec.json.decode(data, type=shape)
    except (binascii.Error, ValueError) as error:
        raise InvalidRequest(errors={"cursor": ["Not a cursor of this list."]}) from error


def page(rows: list[Any], limit: int, cursor_of: Callable[[Any], str]) -> dict[str, Any]:
    """A page of `limit` rows out of up to `limit + 1`: the extra one tells that there are more."""
    items = rows[:limit]
    return {"items": items, "next_cursor": cursor_of(items[-1]) if len(rows) > limit else None}
