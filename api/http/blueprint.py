"""Turns JSON bodies and query strings into checked arguments, or raises an error that names the wrong field."""

from collections.abc import Callable, Iterator
from typing import Any, NoReturn

from flask import Request
from flask_smorest import Blueprint
from marshmallow import RAISE, Schema, ValidationError
from webargs.flaskparser import FlaskParser

from api.http.bodies import decoded, most_bytes
from shared.errors.requests import BodyTooLarge, InvalidRequest, WrongContentType

View = Callable[..., Any]
_TOO_MANY = "Too many of these. `code` tells which limit was reached, and `Retry-After` when to try again."
_WAIT = {"Retry-After": {"description": "Seconds to wait", "schema": {"type": "integer"}}}


class StrictParser(FlaskParser):
    """Accepts well-formed JSON and known parameters only. Its error names the wrong field."""

    DEFAULT_UNKNOWN_BY_LOCATION = FlaskParser.DEFAULT_UNKNOWN_BY_LOCATION | {"query": RAISE}

    def load_json(self, req: Request, schema: Schema) -> Any:
        most = most_bytes(schema)
        req.max_content_length = most + 1  # the body of a request in chunks is cut there, without an error
        data = req.get_data()
        if len(data) > most:
            raise BodyTooLarge
        if not data:
            return {}
        if not req.is_json:
            raise WrongContentType
        return decoded(data)

    def handle_error(self, error: ValidationError, *_: Any, **__: Any) -> NoReturn:
        assert isinstance(error.messages, dict)
        by_location = error.messages.values()
        raise InvalidRequest(errors={k: v for fields in by_location for k, v in _by_path(fields)}) from error


def _by_path(errors: dict[str, Any], inside: str = "") -> Iterator[tuple[str, list[str]]]:
    """The messages of each wrong field. A field of an object inside the body has a name like `settings.model`."""
    for name, found in errors.items():
        if not isinstance(found, dict):
            yield f"{inside}{name}", found
        elif list(found) == ["_schema"]:  # the object itself is wrong
            yield f"{inside}{name}", found["_schema"]
        else:
            yield from _by_path(found, f"{inside}{name}.")


class ApiBlueprint(Blueprint):
    """A group of routes, documented in the OpenAPI page."""

    ARGUMENTS_PARSER = StrictParser()

    def __init__(self, *args: Any, limited: bool = True, **options: Any) -> None:
        super().__init__(*args, **options)
        self._limited = limited
        self.url_value_preprocessor(_name_the_chat)

    def response(self, *args: Any, **options: Any) -> Callable[[View], View]:
        """Document the answer of a route, and the 429 of a route that has limits."""
        good: Callable[[View], View] = super().response(*args, **options)
        if not self._limited:
            return good
        refused = self.alt_response(429, description=_TOO_MANY, headers=_WAIT)
        return lambda view: refused(good(view))


def _name_the_chat(_endpoint: str | None, values: dict[str, Any] | None) -> None:
    """On the wire `session_id` means a chat; in the code that word means a sign-in."""
    if values and "session_id" in values:
        values["chat_ref"] = values.pop("session_id")
