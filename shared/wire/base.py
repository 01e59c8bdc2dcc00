"""The base of every shape on the wire, and the fields that several nouns use."""

import unicodedata
from typing import Any

from marshmallow import Schema, ValidationError, fields, validate

from shared.text import clean

#: OpenAPI's word for a field that a function makes.
FLAG = {"type": "boolean"}


class CamelSchema(Schema):
    """snake_case in Python, camelCase in JSON; an unknown field is an error."""

    def on_bind_field(self, field_name: str, field_obj: Any) -> None:
        field_obj.data_key = field_obj.data_key or _camel(field_name)

    def get_attribute(self, obj: Any, attr: str, default: Any) -> Any:
        """Read from dicts and plain objects only. The library's own way takes most of the time of a message."""
        return obj.get(attr, default) if isinstance(obj, dict) else getattr(obj, attr, default)


class StrictString(fields.String):
    """A string. It is cleaned of characters that no database stores, and any other type is refused."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> str:
        if not isinstance(value, str):
            raise self.make_error("invalid")
        return clean(value)


class Line(StrictString):
    """One line of text for people: NFC, no control characters, trimmed."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> str:
        text = unicodedata.normalize("NFC", super()._deserialize(value, attr, data, **kwargs))
        return " ".join("".join(c if c.isprintable() else " " for c in text).split())


def not_blank(text: str) -> None:
    """Refuse text that has only white space."""
    if not text.strip():
        raise ValidationError("Must not be blank.")


class PageIn(CamelSchema):
    """The page of a list to read. `cursor` is the `nextCursor` of the page before."""

    limit = fields.Integer(load_default=50, validate=validate.Range(min=1, max=200))
    cursor = StrictString(load_default=None)


def object_of(**properties: str | list[str]) -> dict[str, Any]:
    """The description of a field that a function makes, for OpenAPI and for the client's types."""
    return {"type": "object", "properties": {name: {"type": kind} for name, kind in properties.items()}}


def _camel(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(word.title() for word in rest)
