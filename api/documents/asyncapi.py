"""Builds the AsyncAPI document of the sockets from the catalogue of events. Its schemas are those of REST."""

from typing import Any

from apispec import APISpec

from api.documents.examples import VALUES, example_of
from api.documents.openapi import INFO
from api.documents.shapes import shape_plugin
from shared.wire.events import CATALOGUE

# Linters of AsyncAPI want a whole contact. AsyncAPI knows no `identifier` of a licence.
_INFO = INFO | {
    "title": "Holdfast sockets",
    "version": "v1",
    "description": "The events of a user's changes. `docs/events.md` says how a client follows them and catches up.",
    "contact": INFO["contact"] | {"url": "https://holdfast.example", "email": "operator@holdfast.example"},
    "license": {"name": INFO["license"]["name"]},
    "tags": [{"name": "events", "description": "Changes of the rows of one user"}],
}
_REFRESH = "auth.refresh"
_SERVER = {
    "host": "{host}",
    "protocol": "ws",
    "description": "Socket.IO, with its default path and namespace, and with `transports` `websocket` only.",
    "variables": {
        "host": {"default": "127.0.0.1:8001", "description": "The host of the `realtimeUrl` of `GET /config`."}
    },
    "security": [{"$ref": "#/components/securitySchemes/accessToken"}],
    "tags": [{"name": "realtime"}],
}
_SCHEMES = {
    "accessToken": {
        "type": "http",
        "scheme": "bearer",
        "bearerFormat": "JWT",
        "description": "The access token, as `token` of Socket.IO's `auth`. A socket ends with its token.",
    }
}
_TOKEN = {
    "type": "object",
    "description": "A fresh access token of the same user.",
    "properties": {"token": {"type": "string", "maxLength": 2048}},
    "required": ["token"],
}
_ACKNOWLEDGED = {
    "type": "object",
    "description": "`ok`, or the `code` of an error. After an error the socket goes on with its old token.",
    "properties": {"ok": {"type": "boolean"}, "code": {"type": "string"}},
}
_SENT: dict[str, tuple[str, dict[str, Any], Any]] = {
    _REFRESH: ("A client shows a fresh token, to stay connected.", _TOKEN, {"token": VALUES["accessToken"]}),
    "acknowledgement": (f"The server's answer to `{_REFRESH}`.", _ACKNOWLEDGED, {"ok": True}),
}


def asyncapi() -> dict[str, Any]:
    """The AsyncAPI document of every event."""
    schemas, payloads = _shapes()
    messages = {
        name: _message(name, _sentence(kind.when), payloads[name], example_of(payloads[name], schemas))
        for name, kind in CATALOGUE.items()
    }
    messages |= {name: _message(name, *about) for name, about in _SENT.items()}
    return {
        "asyncapi": "3.1.0",
        "info": _INFO,
        "defaultContentType": "application/json",
        "servers": {"realtime": _SERVER},
        "channels": {"user": _channel([*messages])},
        "operations": _operations(),
        "components": {"schemas": schemas, "messages": messages, "securitySchemes": _SCHEMES},
    }


def _sentence(words: str) -> str:
    return f"{words[0].upper()}{words[1:]}."


def _shapes() -> tuple[dict[str, Any], dict[str, Any]]:
    """The schemas of all events, and for each event a reference to its own."""
    plugin = shape_plugin()
    spec = APISpec("", "", "3.1.0", [plugin])
    assert plugin.converter
    references = {name: plugin.converter.resolve_nested_schema(kind.shape) for name, kind in CATALOGUE.items()}  # type: ignore[no-untyped-call]
    return spec.to_dict()["components"]["schemas"], references


def _message(name: str, said: str, payload: dict[str, Any], example: Any) -> dict[str, Any]:
    return {
        "name": name,
        "title": name,
        "summary": said,
        "contentType": "application/json",
        "payload": payload,
        "examples": [{"name": name, "payload": example}],
    }


def _channel(names: list[str]) -> dict[str, Any]:
    return {
        "address": "/",
        "title": "One user",
        "description": "Each socket gets every event of its user, and no event of any other user.",
        "servers": [{"$ref": "#/servers/realtime"}],
        "messages": {name: {"$ref": f"#/components/messages/{name}"} for name in names},
    }


def _operations() -> dict[str, Any]:
    """Seen from the server: it sends events, and receives fresh tokens."""
    channel = {"$ref": "#/channels/user"}
    return {
        "sendEvents": {
            "action": "send",
            "channel": channel,
            "summary": "The server tells about changes.",
            "description": "Events are hints: a client may miss any of them. `GET /sync` tells what it missed.",
            "messages": [{"$ref": f"#/channels/user/messages/{name}"} for name in CATALOGUE],
        },
        "receiveFreshToken": {
            "action": "receive",
            "channel": channel,
            "summary": "A client sends a fresh token.",
            "description": "A client sends nothing else. The server acknowledges each token.",
            "messages": [{"$ref": f"#/channels/user/messages/{_REFRESH}"}],
            "reply": {"channel": channel, "messages": [{"$ref": "#/channels/user/messages/acknowledgement"}]},
        },
    }
