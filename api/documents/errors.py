"""The errors of each operation for the OpenAPI document: by status, with their codes and an example of each."""

from collections.abc import Callable, Iterable
from http import HTTPStatus
from itertools import groupby
from typing import Any

from api.documents.reach import errors_of
from api.http.errors import STATUS, body_of
from shared.errors import requests, server
from shared.errors.base import HoldfastError
from shared.errors.catalogue import catalogue
from shared.errors.replies import ReplyError

Kind = type[HoldfastError]

# Errors of any request. Some come before a view is known, and one from a bug of ours.
_OF_ALL: tuple[Kind, ...] = (
    requests.MalformedRequest,
    requests.RequestTooSlow,
    requests.AddressTooLong,
    requests.HeadersTooLarge,
    requests.DatabaseUnavailable,
    server.ServerFull,
    server.RequestGivenUp,
    HoldfastError,
)
_OF_BODIES = (requests.MalformedBody, requests.BodyTooLarge, requests.WrongContentType)
_WAIT = {"retryAfter": 5}
# The further fields of an error, as an example shows them.
_FURTHER: dict[Kind, dict[str, Any]] = {
    requests.InvalidRequest: {"errors": {"title": ["Not a valid string."]}},
    requests.TooManyRequests: _WAIT,
    requests.TooManySignIns: _WAIT,
}
_STRING, _SECONDS = {"type": "string"}, {"type": "integer", "minimum": 0}
#: Each field that an error may have. The last ones are there where they apply.
FIELDS: dict[str, dict[str, Any]] = {
    "type": {"type": "string", "description": "A name for the kind of error. It begins with `urn:holdfast:error:`."},
    "title": {"type": "string", "description": "The kind of error, in a few words."},
    "status": {"type": "integer", "minimum": 400, "maximum": 599, "description": "The HTTP status."},
    "detail": {"type": "string", "description": "A sentence for people. It says what to do."},
    "code": {"type": "string", "description": "The kind of error, for programs. A code never changes its meaning."},
    "retryable": {"type": "boolean", "description": "Whether the same request may succeed later."},
    "retryAfter": _SECONDS | {"description": "Seconds to wait before the next try."},
    "errors": {
        "type": "object",
        "additionalProperties": {"type": "array", "items": _STRING},
        "description": "Sentences for each wrong field, of ten fields at most.",
    },
    "moreErrors": {"type": "integer", "minimum": 1, "description": "How many other fields are wrong."},
    "charged": {"type": "boolean", "description": "Whether the request has cost credits."},
    "messageId": {"type": "string", "description": "The message that the request met."},
}
_ALWAYS = ["type", "title", "status", "detail", "code", "retryable"]


def problem_schema() -> dict[str, Any]:
    """The shape of every error."""
    codes = sorted(code for code, kind in catalogue().items() if not issubclass(kind, ReplyError))
    return {
        "type": "object",
        "description": "An error, as RFC 9457 describes it. docs/errors.md explains each code.",
        "properties": FIELDS | {"code": FIELDS["code"] | {"enum": codes}},
        "required": _ALWAYS,
    }


def kinds_of(view: Callable[..., Any], has_arguments: bool, has_body: bool) -> set[Kind]:
    """Every error that an operation can answer with."""
    of_arguments = [requests.InvalidRequest] if has_arguments else []
    return {*_OF_ALL, *errors_of(view), *of_arguments, *(_OF_BODIES if has_body else ())}


def error_responses(kinds: Iterable[Kind], components: dict[str, Any]) -> dict[str, Any]:
    """A response for each status. Operations with the same errors share it among the components."""
    found = {}
    ordered = sorted(kinds, key=lambda kind: (_status(kind), kind.code))
    for status, group in groupby(ordered, _status):
        same = list(group)
        name = "Or".join(kind.__name__ for kind in same).replace(HoldfastError.__name__, "InternalError")
        components.setdefault(name, _response(status, same))
        found[str(status)] = {"$ref": f"#/components/responses/{name}"}
    return found


def _status(kind: Kind) -> int:
    return STATUS.get(kind, 500)


def _response(status: int, kinds: list[Kind]) -> dict[str, Any]:
    codes = [kind.code for kind in kinds]
    narrowed = {"properties": {"status": {"const": status}, "code": {"enum": codes}}, "required": ["status", "code"]}
    schema = {"allOf": [{"$ref": "#/components/schemas/Problem"}, {"type": "object"} | narrowed]}
    examples = {kind.code: {"summary": _title(kind), "value": body_of(_example(kind))} for kind in kinds}
    said = " ".join(f"`{kind.code}`: {_title(kind)}." for kind in kinds)
    found = {
        "description": f"{HTTPStatus(status).phrase}. {said}",
        "content": {"application/problem+json": {"schema": schema, "examples": examples}},
    }
    return found | ({"headers": headers} if (headers := _headers(status)) else {})


def _example(kind: Kind) -> HoldfastError:
    return kind(**_FURTHER.get(kind, {}))


def _title(kind: Kind) -> str:
    return " ".join((kind.__doc__ or "").split()).rstrip(".")


def _headers(status: int) -> dict[str, Any]:
    if status == 401:
        return {"WWW-Authenticate": {"description": "How to sign in: `Bearer`.", "schema": _STRING}}
    if status in (429, 503):
        return {"Retry-After": {"description": "Seconds to wait before the next try.", "schema": _SECONDS}}
    return {}
