"""Each route tells clients enough. A new route learns from a failure here what is missing, and where to put it."""

import re
from collections.abc import Iterator
from typing import Any

from marshmallow import Schema, fields

from api.documents.examples import VALUES
from api.documents.shapes import is_of_requests, silent_rules
from shared.wire.base import CamelSchema, Flag, FlagText, Whole, WholeText

# The words with which a name may begin. Add yours if it is a verb.
VERBS = (
    *("accept", "archive", "cancel", "commit", "continue", "create", "delete", "edit", "exchange", "explain", "export"),
    *("fork", "get", "invite", "list", "mark", "move", "patch", "post", "put", "refresh", "regenerate", "remove"),
    *("reorder", "resume", "retry", "save", "search", "send", "set", "show", "sign", "start", "stop", "touch"),
    *("unarchive", "update"),
)


def operations(document: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for path, item in document["paths"].items():
        for method in item.keys() - {"parameters"}:
            yield f"{method.upper()} {path}", item[method]


def shapes(kind: type[Schema] = CamelSchema) -> Iterator[type[Schema]]:
    for below in kind.__subclasses__():
        if below.__module__.startswith("shared.wire."):
            yield below
        yield from shapes(below)


def test_each_operation_has_a_name_of_its_own_that_begins_with_a_verb(document: dict[str, Any]) -> None:
    names = {place: operation["operationId"] for place, operation in operations(document)}
    assert len(set(names.values())) == len(names)
    unnamed = [name for name in names.values() if not re.match(rf"({'|'.join(VERBS)})[A-Z]", name)]
    assert unnamed == [], "rename the view: `fork` of chats becomes forkChat, `list_versions` becomes listVersions"


def test_these_are_the_names_that_a_generated_client_has(document: dict[str, Any]) -> None:
    names = {operation["operationId"] for _, operation in operations(document)}
    assert names >= {"signIn", "createChat", "listChats", "getChat", "postMessage", "listMessages", "stopMessage"}


def test_each_body_has_a_shape_and_an_example(document: dict[str, Any]) -> None:
    for place, operation in operations(document):
        good = [answer for status, answer in operation["responses"].items() if "200" <= status < "300"]
        assert good, place
        for body in [operation.get("requestBody", {"content": {}}), *good]:
            empty = body == operation["responses"].get("204")
            contents = body.get("content", {} if empty else None)
            assert contents is not None, f"{place}: give @response a schema, or the status 204"
            for content in contents.values():
                assert content.keys() & {"example", "examples"}, f"{place}: an answer without a schema needs an example"


def test_each_place_says_whether_it_needs_a_token_and_answers_without_one(document: dict[str, Any]) -> None:
    for place, operation in operations(document):
        assert operation["security"] == [] or "401" in operation["responses"], place


def test_each_parameter_is_described(document: dict[str, Any]) -> None:
    of_paths = [each for item in document["paths"].values() for each in item.get("parameters", [])]
    unknown = {each["name"] for each in of_paths if "description" not in each}
    assert unknown == set(), "describe it in _PATH in api/documents/openapi.py"


def test_each_field_has_a_type(document: dict[str, Any]) -> None:
    for name, schema in document["components"]["schemas"].items():
        for form in schema.get("anyOf", [schema]):
            untyped = [key for key, field in form["properties"].items() if not field.keys() & TYPED]
            assert untyped == [], f"{name}: fields.Function and fields.Raw need metadata with a type"


TYPED = {"type", "$ref", "enum", "const", "anyOf", "allOf"}


def test_each_text_has_an_example(document: dict[str, Any]) -> None:
    for name, schema in document["components"]["schemas"].items():
        for form in schema.get("anyOf", [schema]):
            for key, field in form["properties"].items():
                plain = field.get("type") == "string" and not field.keys() & {"enum", "const", "examples", "format"}
                assert not plain or key in VALUES or name == "Problem", f"add {key} to VALUES in examples.py"


def test_a_shape_of_a_request_is_named_like_one(document: dict[str, Any]) -> None:
    asked = {content["schema"]["$ref"].rpartition("/")[2] for content in _requests(document)}
    answered = {name for name in document["components"]["schemas"] if not name.endswith(("In", "Patch"))}
    assert asked.isdisjoint(answered), "the name of a shape of a request ends in `In` or `Patch`"


def _requests(document: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for _, operation in operations(document):
        yield from operation.get("requestBody", {}).get("content", {}).values()


def test_no_rule_is_a_secret() -> None:
    secrets = {shape.__name__: silent_rules(shape()) for shape in shapes() if is_of_requests(shape())}
    told = "give the validator `says`, its rule in JSON Schema, as not_blank in shared/wire/base.py has it"
    assert {name: rules for name, rules in secrets.items() if rules} == {}, told


def test_a_number_or_a_flag_of_a_request_is_read_strictly() -> None:
    """The library's own fields take `"7"` for a number and `"yes"` for true, and the document says neither."""
    for shape in filter(is_of_requests, (shape() for shape in shapes())):
        for name, field in shape.fields.items():
            loose = isinstance(field, fields.Number | fields.Boolean) and not isinstance(
                field, Whole | WholeText | Flag | FlagText
            )
            assert not loose, f"{type(shape).__name__}.{name}: use Whole or Flag, and in a query WholeText or FlagText"
