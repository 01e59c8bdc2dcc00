"""Builds the OpenAPI document. flask-smorest knows the shapes; this module adds what follows from the code of a view.

A new route needs nothing here. CONTRIBUTING.md names the tests that tell what is missing.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from copy import deepcopy
from typing import Any

from flask import Flask
from flask_smorest import Api

from api.documents.errors import Kind, error_responses, kinds_of, problem_schema
from api.documents.examples import example_of
from api.documents.shapes import OF_REQUESTS, shape_plugin
from api.http.blueprint import ApiBlueprint
from shared.errors.requests import KeyReused, TooManyRequests

INFO: dict[str, Any] = {
    "description": (
        "Holdfast is a chat backend for AI replies that take a while. Sign in, make a chat, post a message, and read"
        " the reply while a worker writes it. Sockets tell about changes: `GET /asyncapi.json`."
    ),
    "contact": {"name": "The operator of this server"},
    "license": {"name": "Not stated", "identifier": "LicenseRef-Unstated"},
}
_SERVERS = [{"url": "/", "description": "This server"}]
_SCHEMES = {
    "accessToken": {
        "type": "http",
        "scheme": "bearer",
        "bearerFormat": "JWT",
        "description": "The `accessToken` of `POST /auth/sign-in` or `POST /auth/refresh`.",
    }
}
_PATH = {
    "sessionId": "The `id` or the `displayId` of a chat.",
    "messageId": "The `id` of a message.",
}
_KEY: dict[str, Any] = {
    "name": "Idempotency-Key",
    "in": "header",
    "required": False,
    "description": "A name for this request. The same request with the same key is carried out once.",
    "schema": {"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[ -~]+$"},
}
_REPLAYED = {
    "description": "There if the key was known. Nothing new was stored.",
    "schema": {"type": "string", "const": "true"},
}
_LEFT = {
    "RateLimit-Limit": "How many requests the limit allows at once.",
    "RateLimit-Remaining": "How many of them are left.",
    "RateLimit-Reset": "Seconds until all of them are left.",
}
# The ids that an answer makes known, by the names that paths have for them.
_IDS = {
    "createChat": {"sessionId": "$response.body#/id"},
    "postMessage": {"sessionId": "$request.path.sessionId", "messageId": "$response.body#/reply/id"},
}
# The verb of a view, where the operation has a better one.
_VERBS = {"patch": "update"}


class DocumentedApi(Api):
    """The routes of the app, from which openapi() makes the document."""

    DEFAULT_ERROR_RESPONSE_NAME = None

    def __init__(self, app: Flask) -> None:
        super().__init__(app, spec_kwargs={"marshmallow_plugin": shape_plugin(), "info": INFO, "servers": _SERVERS})


def openapi(app: Flask, models: Sequence[str] = ()) -> dict[str, Any]:
    """The OpenAPI document of an app's routes. `models` are those that a request may name; none stand for any."""
    document: dict[str, Any] = deepcopy(app.extensions["documented"].spec.to_dict())  # the next call makes it anew
    components = document["components"]
    components |= {"securitySchemes": _SCHEMES, "responses": {}}
    for unused in ("ErrorSchema", "PaginationMetadataSchema"):  # of the library
        components["schemas"].pop(unused, None)
    components["schemas"]["Problem"] = problem_schema()
    _name_the_models(components["schemas"], models)
    for view, operation in _operations(app, document):
        kinds = kinds_of(view, *_takes(operation))
        operation["responses"] |= error_responses(kinds, components["responses"])
        operation["security"] = [] if getattr(view, "access", None) == "public" else [{"accessToken": []}]
        _describe_headers(operation, kinds)
        _give_examples(operation, components["schemas"])
    _link(document["paths"])
    document["paths"] = {camel(path): _with_parameters(item) for path, item in document["paths"].items()}
    return document


def operation_id(group: str, view: str) -> str:
    """The name that a generated client gives to an operation: `listChats`, and `getChat` of the view `get`."""
    verb = _VERBS.get(view, view).rstrip("_")
    return camel(verb if "_" in verb else f"{verb}_{group.removesuffix('s')}")


def camel(text: str) -> str:
    """The name as clients know it: `sessionId` of `session_id`."""
    return re.sub(r"_([a-z])", lambda found: found[1].upper(), text)


def _operations(app: Flask, document: dict[str, Any]) -> Iterator[tuple[Callable[..., Any], dict[str, Any]]]:
    """Each view with its operation. An operation has its name from its view."""
    for rule in app.url_map.iter_rules():
        group, _, view = rule.endpoint.rpartition(".")
        if isinstance(app.blueprints.get(group), ApiBlueprint):
            item = document["paths"][re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", rule.rule)]
            for method in rule.methods - {"HEAD", "OPTIONS"} if rule.methods else ():
                operation = item[method.lower()]
                operation.setdefault("operationId", operation_id(group, view))
                operation.setdefault("description", operation["summary"])
                yield app.view_functions[rule.endpoint], operation


def _name_the_models(schemas: dict[str, Any], models: Sequence[str]) -> None:
    """State which models a server has, since it refuses any other."""
    for name, schema in schemas.items():
        if models and name.endswith(OF_REQUESTS) and "model" in schema["properties"]:
            schema["properties"]["model"]["enum"] = [*models, None]


def _takes(operation: dict[str, Any]) -> tuple[bool, bool]:
    """Whether the operation has arguments, and whether it has a body."""
    return "parameters" in operation or "requestBody" in operation, "requestBody" in operation


def _describe_headers(operation: dict[str, Any], kinds: set[Kind]) -> None:
    """Add the headers that follow from the errors: who can reuse a key sends one, and a limit tells what is left."""
    good = {status: answer for status, answer in operation["responses"].items() if int(status) < 300}
    if KeyReused in kinds:
        operation.setdefault("parameters", []).append(_KEY)
        _add_headers(good, {"Idempotent-Replayed": _REPLAYED})
    if TooManyRequests in kinds:
        number = {"type": "integer", "minimum": 0}
        _add_headers(good, {name: {"description": said, "schema": number} for name, said in _LEFT.items()})


def _add_headers(answers: dict[str, Any], headers: dict[str, Any]) -> None:
    for answer in answers.values():
        answer["headers"] = answer.get("headers", {}) | headers


def _give_examples(operation: dict[str, Any], schemas: dict[str, Any]) -> None:
    """Give each body an example, unless the route has one of its own."""
    bodies = [operation.get("requestBody", {}), *operation["responses"].values()]
    for body in bodies:
        for content in body.get("content", {}).values():
            if not content.keys() & {"example", "examples"} and "schema" in content:
                content["example"] = example_of(content["schema"], schemas, whole=body is bodies[0])


def _link(paths: dict[str, Any]) -> None:
    """Say where a client can go on with the ids of an answer."""
    operations = [(path, item[method]) for path, item in paths.items() for method in item.keys() - {"parameters"}]
    names = {operation["operationId"]: set(re.findall(r"{(\w+)}", camel(path))) for path, operation in operations}
    for _, operation in operations:
        if known := _IDS.get(operation["operationId"]):
            goals = [name for name in sorted(names) if names[name] == known.keys()]
            answer = next(iter(operation["responses"].values()))
            answer["links"] = {name: {"operationId": name, "parameters": known} for name in goals}


def _with_parameters(item: dict[str, Any]) -> dict[str, Any]:
    for parameter in item.get("parameters", []):
        name = camel(parameter["name"])
        parameter.update({"name": name}, **({"description": _PATH[name]} if name in _PATH else {}))
        parameter["schema"].update({"minLength": 1} if parameter["schema"].get("type") == "string" else {})
    return item
