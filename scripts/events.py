"""`python -m scripts.events` writes two files from the catalogue in shared/wire/events.py.

They are the table in docs/events.md, and the client's types in api/client/wire/events.d.ts.
"""

import re
from pathlib import Path
from typing import Any

from marshmallow import Schema, fields

from shared.wire.changes import Changed, SyncOut
from shared.wire.chats import ChatOut
from shared.wire.events import CATALOGUE, Kind
from shared.wire.messages import MessageOut

ROOT = Path(__file__).parents[1]
DOCUMENT = ROOT / "docs" / "events.md"
TYPES = ROOT / "api" / "client" / "wire" / "events.d.ts"

_TABLE = re.compile(r"(?<=<!-- made by `make events` -->\n).*?(?=<!-- until here -->)", re.DOTALL)
_HEAD = "// The events and rows that a client reads. Made by `make events`: change shared/wire/ instead.\n"
_SCALARS = {"string": "string", "integer": "number", "boolean": "boolean", "null": "null"}
_PLAIN = {fields.String: "string", fields.Integer: "number", fields.Boolean: "boolean", fields.DateTime: "string"}


def main() -> None:
    """Write both files."""
    DOCUMENT.write_text(document(DOCUMENT.read_text()))
    TYPES.write_text(types())


def document(text: str) -> str:
    """The document with its table written anew from the catalogue."""
    return _TABLE.sub(lambda _: table(), text)


def table() -> str:
    """A table with one row for each event."""
    rows = [f"| `{name}` | {_carried(kind)} | {kind.when} |\n" for name, kind in CATALOGUE.items()]
    return "| event | fields | when |\n|---|---|---|\n" + "".join(rows)


def _carried(kind: Kind) -> str:
    if isinstance(kind.shape, MessageOut):
        return "a Message, `nextIndex`" if "nextIndex" in kind.fields else "a Message"
    if isinstance(kind.shape, ChatOut):
        return "a Chat"
    return ", ".join(f"`{name}`" for name in _named(kind.shape)) or "none"


def types() -> str:
    """An interface for each shape, and one that maps each event to its shape."""
    shapes: dict[str, Schema] = {}
    for schema in [*(kind.shape for kind in CATALOGUE.values()), SyncOut()]:
        _collect(schema, shapes)
    events = "".join(f'  "{name}": {_name(kind.shape)};\n' for name, kind in CATALOGUE.items())
    return "\n".join([_HEAD, *map(_interface, shapes.values()), f"export interface Events {{\n{events}}}\n"])


def _collect(schema: Schema, shapes: dict[str, Schema]) -> None:
    for field in schema.fields.values():
        inner = field.inner if isinstance(field, fields.List) else field
        if isinstance(inner, fields.Nested):
            _collect(inner.schema, shapes)
    shapes.setdefault(_name(schema), schema)


def _name(schema: Schema) -> str:
    return type(schema).__name__.removesuffix("Out")


def _interface(schema: Schema) -> str:
    if isinstance(schema, Changed):
        return _row_or_tombstone(schema)
    lines = "".join(_line(name, field) for name, field in _named(schema).items())
    return f"/** {type(schema).__doc__} */\nexport interface {_name(schema)} {{\n{lines}}}\n"


def _row_or_tombstone(schema: Changed) -> str:
    row = {**_named(schema)}
    deleted = row.pop("deleted")
    there = "".join(_line(name, field) for name, field in row.items())
    left = "".join(_line(name, row[name]) for name in schema.left if name in row)
    said = f"  /** {deleted.metadata['description']} */\n  deleted: true;\n"
    return (
        f"/** {type(schema).__doc__} */\nexport type {_name(schema)} = {{\n  deleted?: undefined;\n{there}}} | {{\n"
        f"{left}{said}}};\n"
    )


def _line(name: str, field: fields.Field[Any]) -> str:
    said = field.metadata.get("description")
    optional = "?" if field.metadata.get("x-optional") else ""
    return (f"  /** {said} */\n" if said else "") + f"  {name}{optional}: {_type(field)};\n"


def _type(field: fields.Field[Any]) -> str:
    known = _of_schema(field.metadata) if field.metadata.keys() & {"type", "enum"} else _of_field(field)
    return f"{known} | null" if field.allow_none else known


def _of_field(field: fields.Field[Any]) -> str:
    if isinstance(field, fields.List):
        return f"{_type(field.inner)}[]"
    if isinstance(field, fields.Nested):
        return _name(field.schema)
    return next((word for kind, word in _PLAIN.items() if isinstance(field, kind)), "unknown")


def _of_schema(said: dict[str, Any]) -> str:
    """The type in TypeScript for a piece of OpenAPI. Only a field that a function makes has one."""
    if "enum" in said:
        return " | ".join(f'"{value}"' for value in said["enum"])
    return " | ".join(_of_kind(kind, said) for kind in _as_list(said["type"]))


def _of_kind(kind: str, said: dict[str, Any]) -> str:
    if kind != "object":
        return _SCALARS[kind]
    return "{ " + "; ".join(f"{name}: {_of_schema(inner)}" for name, inner in said["properties"].items()) + " }"


def _as_list(kinds: str | list[str]) -> list[str]:
    return [kinds] if isinstance(kinds, str) else kinds


def _named(schema: Schema) -> dict[str, fields.Field[Any]]:
    return {field.data_key or name: field for name, field in schema.fields.items()}


if __name__ == "__main__":
    main()
