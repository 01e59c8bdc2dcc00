"""House rules that a reader can rely on without looking: access, queues, documented routes."""

import pytest
from flask import Flask

from shared.redis.broker import QUEUES
from tests.factories import on_sqlite_only

# No row decides any of it.
pytestmark = on_sqlite_only

OPEN_TO_ALL = {
    "auth.sign_up",
    "auth.sign_in",
    "auth.refresh",
    "auth.sign_out",
    "ops.config",
    "ops.healthz",
    "ops.readyz",
}


def api_routes(app: Flask) -> dict[str, object]:
    """Every route that is not a static file of the page or the generated OpenAPI document."""
    return {
        rule.endpoint: app.view_functions[rule.endpoint]
        for rule in app.url_map.iter_rules()
        if not rule.endpoint.startswith(("pages.", "api-docs."))
    }


def test_every_route_declares_its_access(app: Flask) -> None:
    undeclared = [name for name, view in api_routes(app).items() if not hasattr(view, "access")]
    assert undeclared == []


def test_only_these_routes_are_open_to_all(app: Flask) -> None:
    public = {name for name, view in api_routes(app).items() if getattr(view, "access", None) == "public"}
    assert public == OPEN_TO_ALL


def test_every_other_route_refuses_who_has_no_token(app: Flask) -> None:
    client = app.test_client()
    for rule in app.url_map.iter_rules():
        if rule.endpoint in api_routes(app).keys() - OPEN_TO_ALL:
            path = rule.build(dict.fromkeys(rule.arguments, "0"))[1]  # type: ignore[index]
            for method in rule.methods - {"HEAD", "OPTIONS"}:  # type: ignore[operator]
                answer = client.open(path, method=method)
                assert (answer.status_code, answer.json["code"]) == (401, "unauthenticated"), (method, path)


def test_every_route_is_in_the_openapi_document(app: Flask) -> None:
    documented = app.test_client().get("/openapi.json").json["paths"]
    for rule in app.url_map.iter_rules():
        if rule.endpoint in api_routes(app):
            path = rule.rule.replace("<", "{").replace(">", "}")
            for method in rule.methods - {"HEAD", "OPTIONS"}:  # type: ignore[operator]
                assert documented[path][method.lower()]["summary"], path


@pytest.mark.usefixtures("settings")
def test_every_queue_has_a_consumer() -> None:
    from workers.main import create_worker  # noqa: PLC0415  it loads what only a worker should

    broker = create_worker()
    assert {actor.queue_name: name for name, actor in broker.actors.items()} == QUEUES
    broker.close()
