"""Reads JSON bodies. Their size and their shape are checked before any work that grows with them (D-101, D-102)."""

import json
import re
from typing import Any, NoReturn

from marshmallow import Schema
from marshmallow.fields import Nested

from shared.errors.requests import MalformedBody
from shared.wire.base import IdList, StrictString

# Bytes of a character outside of Unicode's first plane that is written as two JSON escapes.
_LONGEST_ESCAPE = 12
# Characters of a body beside its strings, and the most strings. Parsing 400,000 empty lists takes longer than one text.
_MOST_BESIDE, _MOST_STRINGS = 4096, 100
# A string of JSON. One without an end reaches to the end of the body, so no character is looked at twice.
_STRING = re.compile(r'"[^"\\]*+(?:\\.[^"\\]*+)*+"?', re.DOTALL)


def most_bytes(schema: Schema) -> int:
    """The size of the largest body that can fit this schema: each text may be written in escapes."""
    return _MOST_BESIDE + _LONGEST_ESCAPE * _most_characters(schema)


def _most_characters(schema: Schema) -> int:
    fields = schema.fields.values()
    inside = [_most_characters(field.schema) for field in fields if isinstance(field, Nested)]
    return sum(inside) + sum(field.most_sent for field in fields if isinstance(field, StrictString | IdList))


def decoded(data: bytes) -> Any:
    """The value that a body holds. Raises MalformedBody."""
    try:
        text = data.decode("utf-8-sig")
        _refuse_many_values(text)
        return json.loads(text, parse_constant=_refuse, object_pairs_hook=_object)
    except (ValueError, RecursionError) as error:
        raise MalformedBody from error


def _refuse_many_values(text: str) -> None:
    if len(text) > _MOST_BESIDE and len(_STRING.sub("", text, count=_MOST_STRINGS)) > _MOST_BESIDE:
        raise MalformedBody("The body has too many fields or values. Send only fields that GET /openapi.json lists.")


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("a field is there twice")
    return found


def _refuse(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")
