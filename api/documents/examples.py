"""Makes an example of each request and each answer from its schema. A field has the same value in all of them."""

from typing import Any

_CHAT, _USER = "019a4c1e-7a10-7bd1-9c55-0a4ff5be6f01", "019a4c1d-22b4-7f0e-8a0d-5f3d1c9b7e02"
_QUESTION, _REPLY = "019a4c1f-03d8-7c44-b3a1-6d2e8f907a03", "019a4c1f-03d9-7e12-9d6b-41c7a25b8f04"
_MOMENT = "2026-11-28T12:00:00.000000+00:00"
_TOKEN = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIwMTlhNGMxZCJ9.c2lnbmF0dXJl"

#: The value of a field by its name. A new text needs one here, or an `example` in its metadata.
VALUES: dict[str, Any] = {
    "accessToken": _TOKEN,
    "attempt": 0,
    "balance": 297,
    "chatSessionId": _CHAT,
    "charged": 0,
    "code": "model_timeout",
    "content": "What is a placeholder?",
    "conversationId": _CHAT,
    "createdAt": _MOMENT,
    "credits": 300,
    "creditsPerReply": 3,
    "cursor": 42,
    "delta": -3,
    "detail": "The model took too long. Your credits were returned; try again.",
    "displayId": "c-7k3m9q2x4d",
    "email": "ada@example.org",
    "expiresIn": 900,
    "held": 0,
    "id": _CHAT,
    "kept": ["The ledger, without any text."],
    "kind": "hold",
    "lastActiveAt": _MOMENT,
    "message": "What is a placeholder?",
    "messageId": _REPLY,
    "models": ["scripted"],
    "password": "only an example of one",
    "order": [_QUESTION],
    "place": "database",
    "realtimeUrl": "http://127.0.0.1:8001",
    "refreshToken": _TOKEN,
    "role": "user",
    "seq": 42,
    "sessionId": _CHAT,
    "status": "completed",
    "text": "A placeholder ",
    "title": "Placeholders",
    "token": _TOKEN,
    "updatedAt": _MOMENT,
    "userId": _USER,
    "version": 1,
    "withinSeconds": 0,
}
# The fields that have other values in one shape than in the others.
_REPLY_FIELDS = {"id": _REPLY, "messageType": "ai_report", "status": "pending", "role": "assistant", "content": ""}
_IN: dict[str, dict[str, Any]] = {
    "User": {"id": _USER},
    "Message": {"id": _QUESTION},
    "LiveMessage": _REPLY_FIELDS | {"replyTo": _QUESTION, "credits": {"held": 3, "charged": 0, "released": 0}},
}
_PLAIN: dict[str, Any] = {"boolean": False, "integer": 0, "number": 0, "object": {}, "null": None}


def example_of(schema: dict[str, Any], schemas: dict[str, Any], name: str = "", *, whole: bool = False) -> Any:
    """An example that fits the schema. With `whole`, it has the optional fields too."""
    shape = ""
    if "$ref" in schema:
        shape = schema["$ref"].rpartition("/")[2]
        schema = schemas[shape]
    if alternatives := schema.get("anyOf") or schema.get("oneOf"):
        return example_of(alternatives[0], schemas, name, whole=whole)
    if "properties" in schema and "null" not in schema["type"]:
        wanted = schema["properties"] if whole else schema.get("required", schema["properties"])
        inside = {key: schema["properties"][key] for key in schema["properties"] if key in wanted}
        special = _IN.get(shape, {})
        made = {key: example_of(value, schemas, key, whole=whole) for key, value in inside.items()}
        return made | {key: value for key, value in special.items() if key in inside}
    return _value(schema, schemas, name, whole)


def _value(schema: dict[str, Any], schemas: dict[str, Any], name: str, whole: bool) -> Any:
    kinds = [schema["type"]] if isinstance(schema.get("type"), str) else schema.get("type", ["object"])
    if "examples" in schema:
        return schema["examples"][0]
    if "enum" in schema:
        return VALUES[name] if name in VALUES and VALUES[name] in schema["enum"] else schema["enum"][0]
    if name in VALUES and _fits(VALUES[name], kinds):
        return VALUES[name]
    if "null" in kinds:
        return None
    if "array" in kinds:
        return [example_of(schema["items"], schemas, name, whole=whole)]
    if schema.get("format") == "date-time":
        return _MOMENT
    return schema.get("const", _PLAIN.get(kinds[0], "text"))


def _fits(value: Any, kinds: list[str]) -> bool:
    known = {str: "string", bool: "boolean", int: "integer", list: "array", dict: "object"}
    return known[type(value)] in kinds
