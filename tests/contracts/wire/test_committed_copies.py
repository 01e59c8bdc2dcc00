"""docs/ has copies of both documents as they are. A change of the wire shows in a diff, with what it breaks."""

import json
from copy import deepcopy
from typing import Any

import pytest
from flask.testing import FlaskClient

from scripts.contract import DOCS
from tests.contracts.wire.breaking import breaking
from tests.factories import on_sqlite_only


@pytest.mark.parametrize("name", ["openapi.json", "asyncapi.json"])
def test_a_copy_is_true(name: str, texts: dict[str, str]) -> None:
    copy = (DOCS / name).read_text()
    broken = sorted(breaking(json.loads(copy), json.loads(texts[name])))
    told = "\n".join(["the wire has changed; this breaks for clients:", *(broken or ["nothing"]), "run `make events`"])
    assert copy == texts[name], told


@on_sqlite_only
@pytest.mark.settings(models=["small", "large"])
def test_a_server_serves_what_the_copies_say_and_names_its_models(
    client: FlaskClient, made: dict[str, dict[str, Any]]
) -> None:
    served = client.get("/openapi.json").json
    for shape in ("MessageIn", "AgainIn", "EditIn", "ChatSettingsIn"):
        assert a_field(served, shape)["properties"]["model"].pop("enum") == ["small", "large", None]
    for document in (served, made["openapi.json"]):
        for item in document["paths"].values():  # the examples name a model
            for operation in filter(has_a_body, item.values()):
                operation["requestBody"]["content"]["application/json"].pop("example", None)
    assert served == made["openapi.json"]
    assert client.get("/asyncapi.json").json == made["asyncapi.json"]


def has_a_body(operation: Any) -> bool:
    return "requestBody" in operation


def resolved(schema: Any, document: Any) -> Any:
    return deepcopy(a_field(document, schema["$ref"].rpartition("/")[2])) if "$ref" in schema else schema


def a_field(document: Any, shape: str) -> Any:
    return document["components"]["schemas"][shape]


CHANGES: dict[str, Any] = {
    "getChat is gone": lambda new: new["paths"]["/chats/{sessionId}"].pop("get"),
    "listChats: the parameter text is gone": lambda new: new["paths"]["/chats"]["get"]["parameters"].pop(),
    "listChats: the answer 200.items[] may lack title": lambda new: a_field(new, "Chat")["required"].remove("title"),
    "getChat: the answer 200.title may be null": lambda new: a_field(new, "Chat")["properties"]["title"].update(
        type=["string", "null"]
    ),
    "getMessage: the answer 200.status may be lost": lambda new: a_field(new, "LiveMessage")["properties"]["status"][
        "enum"
    ].append("lost"),
    "postMessage: the body may lack model": lambda new: a_field(new, "MessageIn")["required"].append("model"),
    "createChat: the body may not have title": lambda new: a_field(new, "ChatIn")["properties"].pop("title"),
    "createChat: 201 is gone": lambda new: new["paths"]["/chats"]["post"]["responses"].pop("201"),
}


@pytest.mark.parametrize("said", CHANGES)
def test_what_a_change_breaks_is_named(said: str, document: dict[str, Any]) -> None:
    new = deepcopy(document)
    CHANGES[said](new)
    assert said in set(breaking(document, new))


EVENT_CHANGES: dict[str, Any] = {
    "chat.deleted is gone": lambda new: new.pop("chat.deleted"),
    "message.delta may lack text": lambda new: new["message.delta"]["payload"]["required"].remove("text"),
    "message.delta.text may be null": lambda new: new["message.delta"]["payload"]["properties"]["text"].update(
        type=["string", "null"]
    ),
    "auth.refresh may lack device": lambda new: new["auth.refresh"]["payload"]["required"].append("device"),
}


@pytest.mark.parametrize("said", EVENT_CHANGES)
def test_what_a_change_of_events_breaks_is_named(said: str, made: dict[str, dict[str, Any]]) -> None:
    old = made["asyncapi.json"]
    new = deepcopy(old)
    told = new["components"]["messages"]
    for message in told.values():
        message["payload"] = resolved(message["payload"], new)
    EVENT_CHANGES[said](told)
    assert set(breaking(old, new)) == {said}


def test_something_new_breaks_nothing(document: dict[str, Any]) -> None:
    new = deepcopy(document)
    a_field(new, "Chat")["properties"]["colour"] = {"type": "string"}
    a_field(new, "ChatIn")["properties"]["colour"] = {"type": "string"}
    new["paths"]["/colours"] = {"get": {"operationId": "listColours", "responses": {}}}
    assert [*breaking(document, new)] == []
