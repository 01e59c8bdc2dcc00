"""Cursors: the place of a row in a list, as a short text. Clients must not look into it.

A cursor has a fixed length, and each text of that length is some place in the list. So the document can state exactly
which cursors are accepted (D-167).
"""

import base64
import re
import struct
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from marshmallow import fields, validate

_EPOCH, _TICK = datetime(1970, 1, 1, tzinfo=UTC), timedelta(microseconds=1)
# Microseconds since 1970 of the years 1 to 9999, without the days at both ends that a time zone may push out.
_FIRST, _LAST = ((datetime(*day, tzinfo=UTC) - _EPOCH) // _TICK for day in ((1, 1, 2), (9999, 12, 30)))
# How each type of a key is packed. A position has 32 bits, and so has its column.
_PACKED = {datetime: "q", UUID: "16s", int: "i", float: "d"}


class Cursor(fields.String):
    """The cursor of a list that is sorted by keys of these types."""

    default_error_messages = {"no_cursor": "Not a cursor of this list."}  # noqa: RUF012

    def __init__(self, *kinds: type) -> None:
        length = struct.calcsize(_format(kinds)) * 4 // 3
        super().__init__(load_default=None, allow_none=False, validate=validate.Length(equal=length))
        self.says = {"pattern": f"^[A-Za-z0-9_-]{{{length}}}$"}

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> str:
        if not isinstance(value, str) or not re.fullmatch(self.says["pattern"][1:-1], value):
            raise self.make_error("no_cursor")
        return value


def encode_cursor(values: Sequence[Any], kinds: Sequence[type]) -> str:
    """The cursor that holds these values."""
    plain = (_packed(value, kind) for value, kind in zip(values, kinds, strict=True))
    return base64.urlsafe_b64encode(struct.pack(_format(kinds), *plain)).decode()


def decode_cursor(cursor: str, kinds: Sequence[type]) -> list[Any]:
    """The values that a cursor holds. Raises ValueError for a cursor of another length."""
    found = base64.urlsafe_b64decode(cursor)
    if len(found) != struct.calcsize(_format(kinds)):
        raise ValueError("another length")
    return [_value(packed, kind) for packed, kind in zip(struct.unpack(_format(kinds), found), kinds, strict=True)]


def _format(kinds: Sequence[type]) -> str:
    """The format for `struct`. Its size is a multiple of three, so that base64 needs no padding."""
    packed = ">" + "".join(_PACKED[kind] for kind in kinds)
    return packed + "x" * (-struct.calcsize(packed) % 3)


def _packed(value: Any, kind: type) -> Any:
    if kind is UUID:
        return UUID(str(value)).bytes
    return (value - _EPOCH) // _TICK if kind is datetime else value


def _value(packed: Any, kind: type) -> Any:
    if kind is UUID:
        return str(UUID(bytes=packed))
    return _EPOCH + min(max(packed, _FIRST), _LAST) * _TICK if kind is datetime else packed
