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
        raise InvalidRequest(errors=dict(pair for fields in by_location for pair in _by_field(fields))) from error


class ApiBlueprint(Blueprint):
    """A group of routes, documented in the OpenAPI page."""

    ARGUMENTS_PARSER = StrictParser()

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.url_value_preprocessor(_name_the_chat)

    def arguments(self, schema: type[Schema], *, location: str = "json", **options: Any) -> Callable[[View], View]:
        """Check and document the arguments of a route. A body is required if one of its fields is."""
        options.setdefault("required", any(field.required for field in schema().fields.values()))
        checked: Callable[[View], View] = super().arguments(schema, location=location, **options)
        return checked

    def _prepare_arguments_doc(self, doc: Any, doc_info: Any, **about: Any) -> Any:
        """Leave the errors to api/documents/errors.py."""
        doc_info.get("arguments", {}).pop("responses", None)
        return super()._prepare_arguments_doc(doc, doc_info, **about)


def _by_field(messages: dict[Any, Any], within: str = "") -> Iterator[tuple[str, list[str]]]:
    """The messages of each wrong field. A field of an object in the body has a name such as `settings.model`."""
    for name, found in messages.items():
        if not isinstance(found, dict):
            yield f"{within}{name}", found
        elif list(found) == ["_schema"]:  # the object itself is wrong
            yield f"{within}{name}", found["_schema"]
        else:
            yield from _by_field(found, f"{within}{name}.")


def _name_the_chat(_endpoint: str | None, values: dict[str, Any] | None) -> None:
    """On the wire `session_id` means a chat; in the code that word means a sign-in."""
    if values and "session_id" in values:
        values["chat_ref"] = values.pop("session_id")
