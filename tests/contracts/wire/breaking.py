"""Lists what a change of the documents breaks for clients that were made from the old ones."""

from collections.abc import Iterator
from typing import Any

Schema = dict[str, Any]
_JSON = "application/json"


def breaking(old: Schema, new: Schema) -> Iterator[str]:
    """A sentence for each operation, parameter, field, type, value or event that an old client relies on."""
    yield from _of_events(old, new)
    now = _operations(new)
    for place, operation in _operations(old).items():
        if place not in now or operation["operationId"] != now[place]["operationId"]:
            yield f"{operation['operationId']} is gone"
        else:
            said = [*_of_requests(operation, now[place], old, new), *_of_answers(operation, now[place], old, new)]
            yield from (f"{operation['operationId']}: {sentence}" for sentence in said)


def _of_events(old: Schema, new: Schema) -> Iterator[str]:
    for name, then in old["components"].get("messages", {}).items():
        now = new["components"]["messages"].get(name, {})
        if not now:
            yield f"{name} is gone"
        elif name == "auth.refresh":  # clients send it
            yield from _misfits(then["payload"], now["payload"], old, new, name)
        else:
            yield from _misfits(now["payload"], then["payload"], new, old, name)


def _operations(document: Schema) -> dict[tuple[str, str], Schema]:
    paths = document.get("paths", {}).items()
    return {(path, method): item[method] for path, item in paths for method in item.keys() - {"parameters"}}


def _of_requests(old: Schema, new: Schema, then: Schema, now: Schema) -> Iterator[str]:
    before, after = ({each["name"]: each for each in one.get("parameters", [])} for one in (old, new))
    yield from (f"the parameter {name} is gone" for name in before.keys() - after.keys())
    yield from (f"{name} is required" for name in after.keys() - before.keys() if after[name].get("required"))
    given, taken = (
        one.get("requestBody", {}).get("content", {}).get(_JSON, {}).get("schema", {}) for one in (old, new)
    )
    yield from _misfits(given, taken, then, now, "the body")


def _of_answers(old: Schema, new: Schema, then: Schema, now: Schema) -> Iterator[str]:
    for status in (status for status in old["responses"] if status[0] == "2"):
        taken, given = (one["responses"].get(status, {}).get("content", {}).get(_JSON, {}) for one in (old, new))
        if status not in new["responses"]:
            yield f"{status} is gone"
        yield from _misfits(given.get("schema", {}), taken.get("schema", {}), now, then, f"the answer {status}")


def _misfits(given: Schema, taken: Schema, gives: Schema, takes: Schema, place: str) -> Iterator[str]:
    """The ways in which the values of one side may be others than the other side takes."""
    given, taken = _resolved(given, gives), _resolved(taken, takes)
    for rule in (rule for rule in ("type", "enum") if rule in taken):
        yield from (f"{place} may be {value}" for value in _list(given.get(rule)) if value not in _list(taken[rule]))
    yield from (
        f"{place} may lack {name}" for name in taken.get("required", ()) if name not in given.get("required", ())
    )
    for name, schema in given.get("properties", {}).items():
        if name not in taken.get("properties", {}) and taken.get("additionalProperties") is False:
            yield f"{place} may not have {name}"
        yield from _misfits(schema, taken.get("properties", {}).get(name, {}), gives, takes, f"{place}.{name}")
    parts = [*zip(given.get("anyOf", ()), taken.get("anyOf", ()), strict=False)]
    for one, other in [*parts, (given.get("items"), taken.get("items"))]:
        yield from _misfits(one, other, gives, takes, f"{place}[]") if one and other else ()


def _resolved(schema: Schema, document: Schema) -> Schema:
    return document["components"]["schemas"][schema["$ref"].rpartition("/")[2]] if "$ref" in schema else schema


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value] if value else []
