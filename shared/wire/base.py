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
        """The library's own way is open to more kinds of objects, and is most of what a message on the wire costs."""
        return obj.get(attr, default) if isinstance(obj, dict) else getattr(obj, attr, default)


class StrictString(fields.String):
    """A string, cleaned of what no database or terminal can hold; nothing else is taken for one."""

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
    """Refuse text that shows nothing."""
    if not text.strip():
        raise ValidationError("Must not be blank.")


class PageIn(CamelSchema):
    """Which page of a list: `cursor` is the `nextCursor` of the page before."""

    limit = fields.Integer(load_default=50, validate=validate.Range(min=1, max=200))
    cursor = StrictString(load_default=None)


def object_of(**properties: str | list[str]) -> dict[str, Any]:
    """What OpenAPI and the client's types say of a field that is made by a function."""
    return {"type": "object", "properties": {name: {"type": kind} for name, kind in properties.items()}}


def _camel(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(word.title() for word in rest)
