"""Builds the HTTP API from the core, the routes, the error table and the OpenAPI document."""

from flask import Flask
from flask.json.provider import DefaultJSONProvider

from api.access.address import trust_proxies
from api.access.limits import register_limits
from api.access.passwords import HashingPlace
from api.access.revoked import Revoked
from api.documents.openapi import DocumentedApi
from api.http.cross_origin import allow_origins
from api.http.errors import register_errors
from api.http.headers import protect_answer
from api.http.heads import refuse_long_head
from api.pages.documents import documents
from api.pages.files import pages
from api.resources.account import account
from api.resources.auth import auth
from api.resources.chats import chats
from api.resources.credits import credits_
from api.resources.export import export
from api.resources.messages import messages
from api.resources.older import older
from api.resources.ops import ops
from api.resources.queue import queue
from api.resources.search import search
from api.resources.sync import sync
from api.resources.versions import versions
from shared.core import create_core
from shared.settings import Settings, load_settings

# Bytes of any body. The longest message fits, with every character written as a JSON escape. Most addresses take
# less: most_bytes() in api/http/bodies.py.
MAX_BODY = 2 * 1024 * 1024


def create_app(settings: Settings | None = None) -> Flask:
    """The WSGI application. Raises SettingsError."""
    settings = settings or load_settings()
    app = create_core(settings)
    app.config |= {
        "MAX_CONTENT_LENGTH": MAX_BODY,
        "API_TITLE": "Holdfast",
        "API_VERSION": "v1",
        "OPENAPI_VERSION": "3.1.0",
    }
    assert isinstance(app.json, DefaultJSONProvider)
    app.json.ensure_ascii = False  # an emoji takes 4 bytes, not the 12 of two escapes (D-105)
    app.extensions["revoked"] = Revoked()
    app.before_request(refuse_long_head)
    app.extensions["hashing_place"] = HashingPlace(settings.web_threads)
    trust_proxies(app, settings)
    register_limits(app, settings)
    api = app.extensions["documented"] = DocumentedApi(app)
    for blueprint in (auth, account, chats, messages, queue, versions, export, search, older, sync, credits_, ops):
        api.register_blueprint(blueprint)
    app.register_blueprint(pages)
    app.register_blueprint(documents)
    register_errors(app)
    app.after_request(protect_answer)
    allow_origins(app, settings)
    return app
