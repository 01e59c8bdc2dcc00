"""Turns JSON bodies and query strings into checked arguments, or raises an error that names the wrong field."""

import json
from typing import Any, NoReturn

from flask import Request
from flask_smorest import Blueprint
from marshmallow import RAISE, Schema, ValidationError
from webargs.flaskparser import FlaskParser

from shared.errors.requests import InvalidRequest, MalformedBody, WrongContentType
from shared.text import clean


class StrictParser(FlaskParser):
    """Accepts well-formed JSON and known parameters only. Its error names the wrong field."""

    DEFAULT_UNKNOWN_BY_LOCATION = FlaskParser.DEFAULT_UNKNOWN_BY_LOCATION | {"query": RAISE}

    def load_json(self, req: Request, schema: Schema) -> Any:
        data = req.get_data()
        if not data:
            return {}
        if not req.is_json:
            raise WrongContentType
        try:
            return json.loads(data, parse_constant=_refuse, object_pairs_hook=_object)
        except (ValueError, RecursionError) as error:
            raise MalformedBody from error

    def handle_error(self, error: ValidationError, *_: Any, **__: Any) -> NoReturn:
        assert isinstance(error.messages, dict)
        by_location = error.messages.values()
        raise InvalidRequest(errors={k: v for fields in by_location for k, v in fields.items()}) from error


class ApiBlueprint(Blueprint):
    """A group of routes, documented in the OpenAPI page."""

    ARGUMENTS_PARSER = StrictParser()

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.url_value_preprocessor(_name_the_chat)


def _name_the_chat(_endpoint: str | None, values: dict[str, Any] | None) -> None:
    """On the wire `session_id` means a chat; in the code that word means a sign-in."""
    if values and "session_id" in values:
        values["chat_ref"] = values.pop("session_id")


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = {clean(name): value for name, value in pairs}  # clean names, because an error answer repeats them
    if len(found) < len(pairs):
        raise ValueError("a field is there twice")
    return found


def _refuse(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")
