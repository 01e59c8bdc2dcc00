"""Each answer to a test is compared with the OpenAPI document, which must list its status, its code and its fields."""

import re
from typing import Any

from flask import Flask, Response, request

from api.documents.errors import FIELDS
from api.documents.openapi import camel, openapi


class Declared:
    """Notes each answer of an app that the document does not list."""

    def __init__(self, app: Flask) -> None:
        self.complaints: set[str] = set()
        self._app = app
        app.after_request(self._note)

    def _note(self, response: Response) -> Response:
        if operation := _operations(self._app).get((request.endpoint, request.method.lower())):
            complaint = _complaint(operation, response)
            self.complaints |= {f"{request.method} {request.url_rule}: {complaint}"} if complaint else set()
        return response


def _complaint(operation: dict[str, Any], response: Response) -> str:
    """The words say what to do, because an author of a route sees them first."""
    listed = operation["responses"].get(str(response.status_code))
    if listed is None:
        return f"the document lists no {response.status_code}; {_HOW} {response.get_data(as_text=True)[:200]}"
    if response.is_streamed or not listed.get("content"):
        return ""
    if response.mimetype not in listed["content"]:
        return f"{response.status_code} comes as {response.mimetype}, and the document lists {[*listed['content']]}"
    if response.status_code < 400:
        return ""
    error: Any = response.get_json()
    codes = listed["content"][response.mimetype]["examples"]
    if error["code"] not in codes:
        return f"the document does not list `{error['code']}` for {response.status_code}; {_HOW}"
    unknown = error.keys() - FIELDS.keys()
    return f"add {sorted(unknown)} to FIELDS in api/documents/errors.py" if unknown else ""


_HOW = "errors_of() in api/documents/reach.py finds an error only if the code of the view, or what it calls, names it."


_KNOWN: dict[tuple[str | None, str], Any] = {}


def _operations(app: Flask) -> dict[tuple[str | None, str], Any]:
    """Each operation by endpoint and method. All apps of a run have the same routes, so one document is enough."""
    if not _KNOWN:
        document = openapi(app)
        for rule in app.url_map.iter_rules():
            path = camel(re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", rule.rule))
            for method, operation in document["paths"].get(path, {}).items():
                if method.upper() in (rule.methods or ()):
                    _KNOWN[rule.endpoint, method] = _resolved(operation, document)
    return _KNOWN


def _resolved(operation: dict[str, Any], document: dict[str, Any]) -> dict[str, Any]:
    shared = document["components"]["responses"]
    answers = operation["responses"].items()
    return {"responses": {status: shared.get(_name(answer), answer) for status, answer in answers}}


def _name(answer: dict[str, Any]) -> str:
    return str(answer.get("$ref", "")).rpartition("/")[2]
