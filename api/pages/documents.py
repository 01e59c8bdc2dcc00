"""The documents for authors of clients."""

import msgspec
from flask import Blueprint, Response, current_app

from api.access.decorators import public
from api.documents.asyncapi import asyncapi
from api.documents.openapi import openapi
from shared.core import current_settings

documents = Blueprint("documents", __name__)


@documents.get("/openapi.json")
@public
def openapi_json() -> Response:
    """The OpenAPI document of this API. The first request of a process makes it."""
    made = current_app.extensions.get("openapi") or msgspec.json.encode(openapi(current_app, current_settings().models))
    current_app.extensions["openapi"] = made
    return Response(made, mimetype="application/json")


@documents.get("/asyncapi.json")
@public
def asyncapi_json() -> Response:
    """The AsyncAPI document of the sockets."""
    return Response(msgspec.json.encode(asyncapi()), mimetype="application/json")
