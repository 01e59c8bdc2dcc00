"""Turns the shapes of shared/wire/ into JSON Schema, and tells the truth about required fields.

A field of an answer is always there, unless its metadata says `x-optional`. A request may omit its fields.
"""

from collections.abc import Callable
from typing import Any

from apispec.ext.marshmallow import MarshmallowPlugin
from apispec.ext.marshmallow.common import resolve_schema_instance
from apispec.ext.marshmallow.openapi import OpenAPIConverter
from marshmallow import Schema, fields, validate

#: A shape of a request has a name with one of these endings. No shape of an answer has one.
OF_REQUESTS = ("In", "Patch")


class ShapeConverter(OpenAPIConverter):
    """apispec's converter, for shapes of requests and of answers."""

    def schema2jsonschema(self, schema: Any) -> dict[str, Any]:
        """The JSON Schema of a shape."""
        shape = resolve_schema_instance(schema)
        found: dict[str, Any] = super().schema2jsonschema(shape)  # type: ignore[no-untyped-call]
        found = _asked(found) if is_of_requests(shape) else _answered(found, shape)
        return {"description": _plain(type(shape).__doc__)} | found | getattr(shape, "says", {})

    def _field2parameter(self, field: Any, *, name: str, location: str) -> dict[str, Any]:
        """A field of a query. That it may be left out needs no default."""
        found: dict[str, Any] = super()._field2parameter(field, name=name, location=location)
        if found["schema"].get("default", True) is None:
            del found["schema"]["default"]
        return found


class ShapePlugin(MarshmallowPlugin):
    """Makes apispec use the converter of this module."""

    Converter = ShapeConverter

    def init_spec(self, spec: Any) -> None:
        """Tell the converter about rules that apispec does not know."""
        super().init_spec(spec)
        assert self.converter is not None
        self.converter.add_attribute_function(with_its_rules)  # type: ignore[no-untyped-call]


def shape_plugin() -> MarshmallowPlugin:
    """The plugin for apispec. A shape keeps its name, but an answer loses its `Out`."""
    return ShapePlugin(schema_name_resolver=lambda shape: name_of(resolve_schema_instance(shape)))


def name_of(shape: Schema) -> str:
    """The name of a shape in the documents."""
    return type(shape).__name__.removesuffix("Out")


def is_of_requests(shape: Schema) -> bool:
    """Whether clients send this shape."""
    return type(shape).__name__.endswith(OF_REQUESTS)


def with_its_rules(_converter: Any, field: fields.Field[Any], **_: Any) -> dict[str, Any]:
    """The part of JSON Schema in which a field or a validator of ours states its own rule, as `says`."""
    found: dict[str, Any] = {}
    for rule in (field, *field.validators):
        found |= getattr(rule, "says", {})
    return found


def silent_rules(shape: Schema) -> list[Callable[..., Any]]:
    """The validators of a shape that no client can read from the document."""
    rules = [rule for field in shape.fields.values() for rule in field.validators]
    return [rule for rule in rules if not isinstance(rule, validate.Validator) and not hasattr(rule, "says")]


def _asked(found: dict[str, Any]) -> dict[str, Any]:
    """Without defaults, because generated types make a field with a default mandatory. The description has them."""
    for schema in found["properties"].values():
        if (default := schema.pop("default", None)) is not None:
            schema["description"] = f"{schema.get('description', '')} Default: `{default}`.".strip()
    return found


def _answered(found: dict[str, Any], shape: Schema) -> dict[str, Any]:
    """With all fields required but the optional ones. A shape with `left` is whole, or has only these."""
    del found["additionalProperties"]  # later versions may add fields
    properties = found["properties"]
    for schema in properties.values():
        schema.pop("readOnly", None)  # no client sends any of them
    optional = {name for name, schema in properties.items() if schema.pop("x-optional", False)}
    found["required"] = sorted(properties.keys() - optional)
    if not (short := getattr(shape, "left", None)):
        return found
    flag = short[-1]
    left = {name: properties[name] for name in short} | {flag: properties[flag] | {"const": True}}
    properties[flag] = {"const": False}  # never there, but types can tell the two forms apart by it
    found["required"] = sorted(properties.keys() - optional)
    return {"anyOf": [found, {"type": "object", "properties": left, "required": sorted(left)}]}


def _plain(docstring: str | None) -> str:
    return " ".join((docstring or "").split())
