"""The base of every shape on the wire, and the fields that several nouns use."""

import re
import unicodedata
from datetime import datetime
from typing import Any
from uuid import UUID

from marshmallow import Schema, ValidationError, fields, validate

from shared.text import clean, one_line, shows_nothing, visible_pattern
from shared.wire.cursors import Cursor

#: Characters of an id that a client sends in a body or a query.
MAX_ID = 64
#: Rows of the longest page.
MAX_LIMIT = 200
#: OpenAPI's word for a field that a function makes.
FLAG = {"type": "boolean"}
_DIGITS = re.compile(r"-?[0-9]{1,40}(\.0{1,20})?")


class CamelSchema(Schema):
    """snake_case in Python, camelCase in JSON; an unknown field is an error."""

    def on_bind_field(self, field_name: str, field_obj: Any) -> None:
        field_obj.data_key = field_obj.data_key or _camel(field_name)

    def get_attribute(self, obj: Any, attr: str, default: Any) -> Any:
        """Read from dicts and plain objects only. The library's own way takes most of the time of a message."""
        return obj.get(attr, default) if isinstance(obj, dict) else getattr(obj, attr, default)


class StrictString(fields.String):
    """A string of at most `longest` characters, cleaned of characters that no database stores.

    Its length is checked first. Later steps may take seconds for a long text (D-101).
    """

    default_error_messages = {"too_long": "Longer than maximum length {longest}."}  # noqa: RUF012
    #: A client may send so many characters for each character that is left after the cleaning.
    shrinks = 1

    def __init__(self, longest: int, **options: Any) -> None:
        super().__init__(**options)
        self.longest, self.most_sent = longest, longest * self.shrinks
        self.validators.insert(0, validate.Length(max=longest))

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> str:
        if not isinstance(value, str):
            raise self.make_error("invalid")
        if len(value) > self.most_sent:
            raise self.make_error("too_long", longest=self.longest)
        return clean(value)


class Line(StrictString):
    """One line of text for people: NFC, no control characters, trimmed. NFC may join four characters to one.

    Joiners stay (D-158).
    """

    shrinks = 4

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> str:
        return one_line(unicodedata.normalize("NFC", super()._deserialize(value, attr, data, **kwargs)))


class IdList(fields.List[Any]):
    """At most `longest` ids, each once. An id is compared in the one form in which it is stored."""

    default_error_messages = {"invalid": "Not a list of ids."}  # noqa: RUF012
    _LENGTH = 36
    _ID = "[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}"

    def __init__(self, longest: int, **options: Any) -> None:
        super().__init__(StrictString(self._LENGTH, metadata={"pattern": f"^{self._ID}$"}), **options)
        self.says = {"uniqueItems": True}
        self.most_sent = longest * (self._LENGTH + len('"",'))
        self.validators.insert(0, validate.Length(max=longest))

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> list[Any]:
        if not isinstance(value, list) or not all(
            isinstance(one, str) and re.fullmatch(self._ID, one) for one in value
        ):
            raise self.make_error("invalid")
        ids = [one.lower() for one in value]
        if len(ids) > len(set(ids)):
            raise ValidationError("Each id stands here once.")
        return ids


class Whole(fields.Integer):
    """A whole number of a body. JSON knows no difference between `7` and `7.0`; a text is no number."""

    def _validated(self, value: Any) -> Any:
        if isinstance(value, bool) or not isinstance(value, int | float) or value != value // 1:
            raise self.make_error("invalid", input=value)
        return super()._validated(int(value))


class WholeText(fields.Integer):
    """A whole number of a query: digits, as `7` or `7.0`."""

    def _validated(self, value: Any) -> Any:
        if not isinstance(value, str) or not _DIGITS.fullmatch(value):
            raise self.make_error("invalid", input=value)
        return super()._validated(value.partition(".")[0])


class Flag(fields.Boolean):
    """True or false of a body, and no other value that means one of them."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> bool:
        if not isinstance(value, bool):
            raise self.make_error("invalid", input=value)
        return value


class FlagText(fields.Boolean):
    """True or false of a query: the words `true` and `false`."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> bool:
        if value not in ("true", "false"):
            raise self.make_error("invalid", input=value)
        return bool(value == "true")


class Word(StrictString):
    """One of a few words, exactly as written here. Nothing is cleaned away, or two texts would be the same word."""

    def __init__(self, *words: str, **options: Any) -> None:
        super().__init__(32, validate=validate.OneOf(words), **options)

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> str:
        super()._deserialize(value, attr, data, **kwargs)
        return str(value)


def not_blank(text: str) -> None:
    """Refuse text that shows nothing."""
    if shows_nothing(text):
        raise ValidationError("Must not be blank.")


#: `says` is the part of JSON Schema that states a rule. The OpenAPI document takes it from there (D-165).
not_blank.says = {"minLength": 1, "pattern": visible_pattern()}  # type: ignore[attr-defined]


class PageIn(CamelSchema):
    """The page of a list to read. `cursor` is the `nextCursor` of the page before."""

    limit = WholeText(load_default=50, validate=validate.Range(min=1, max=MAX_LIMIT))
    cursor = Cursor(datetime, UUID)


class Page(CamelSchema):
    """A page of a list. `nextCursor` is null on the last one."""

    next_cursor = fields.String(allow_none=True)


def object_of(**properties: str | list[str]) -> dict[str, Any]:
    """The description of a field that a function makes, for OpenAPI and for the client's types."""
    inside = {name: {"type": kind} for name, kind in properties.items()}
    return {"type": "object", "properties": inside, "required": sorted(inside)}


def _camel(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(word.title() for word in rest)
