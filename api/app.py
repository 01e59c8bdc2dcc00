"""Builds the HTTP API from the core, the routes, the error table and the OpenAPI document."""

from flask import Flask
from flask_smorest import Api

from api.access.revoked import Revoked
from api.http.errors import register_errors
from api.http.headers import protect_answer
from api.resources.account import account
from api.resources.auth import auth
from api.resources.chats import chats
from api.resources.credits import credits_
from api.resources.messages import messages
from api.resources.ops import ops
from api.resources.pages import pages
from api.resources.sync import sync
from shared.core import create_core
from shared.settings import Settings, load_settings

# Bytes of a request. The longest message fits, with every character written as a JSON escape.
MAX_BODY = 2 * 1024 * 1024


def create_app(settings: Settings | None = None) -> Flask:
    """The WSGI application. Raises SettingsError."""
    app = create_core(settings or load_settings())
    app.config |= {
        "MAX_CONTENT_LENGTH": MAX_BODY,
        "API_TITLE": "Holdfast",
        "API_VERSION": "v1",
        "OPENAPI_VERSION": "3.1.0",
        "OPENAPI_URL_PREFIX": "/",
        "OPENAPI_JSON_PATH": "openapi.json",
    }
    app.extensions["revoked"] = Revoked()
    api = Api(app)
    for blueprint in (auth, account, chats, messages, sync, credits_, ops):
        api.register_blueprint(blueprint)
    app.register_blueprint(pages)
    register_errors(app)
    app.after_request(protect_answer)
    return app
