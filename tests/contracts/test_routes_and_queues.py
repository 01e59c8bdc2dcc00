"""House rules that a reader can rely on: access, queues, documented routes, and the choice of providers."""

import re
from pathlib import Path
from pkgutil import iter_modules
from types import ModuleType

import pytest
from flask import Flask

import api.resources
from api.documents.openapi import camel
from api.http.blueprint import ApiBlueprint
from shared.database.tables import new_id
from shared.redis.queues import QUEUES
from tests.factories import on_sqlite_only

# None of these rules depends on the database.
pytestmark = on_sqlite_only

OPEN_TO_ALL = {
    "auth.sign_up",
    "auth.sign_in",
    "auth.refresh_session",
    "auth.sign_out",
    "ops.get_config",
    "ops.get_health",
    "ops.get_readiness",
}


def api_routes(app: Flask) -> dict[str, object]:
    """Every route that is not a static file of the page or the generated OpenAPI document."""
    return {
        rule.endpoint: app.view_functions[rule.endpoint]
        for rule in app.url_map.iter_rules()
        if not rule.endpoint.startswith(("pages.", "documents."))
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
            path = rule.build(dict.fromkeys(rule.arguments, new_id()))[1]  # type: ignore[index]
            for method in rule.methods - {"HEAD", "OPTIONS"}:  # type: ignore[operator]
                answer = client.open(path, method=method)
                assert (answer.status_code, answer.json["code"]) == (401, "unauthenticated"), (method, path)


def test_every_route_is_in_the_openapi_document(app: Flask) -> None:
    documented = app.test_client().get("/openapi.json").json["paths"]
    for rule in app.url_map.iter_rules():
        if rule.endpoint in api_routes(app):
            path = re.sub(r"<(?:\w+:)?(\w+)>", lambda found: f"{{{camel(found[1])}}}", rule.rule)
            for method in rule.methods - {"HEAD", "OPTIONS"}:  # type: ignore[operator]
                assert documented[path][method.lower()]["summary"], path


def modules_of(package: ModuleType) -> dict[str, str]:
    """Each module of a package, with its source."""
    folder = Path(package.__path__[0])
    return {module.name: (folder / f"{module.name}.py").read_text() for module in iter_modules(package.__path__)}


def test_every_group_of_routes_is_registered(app: Flask) -> None:
    groups = {name for name, source in modules_of(api.resources).items() if f" = {ApiBlueprint.__name__}(" in source}
    assert groups
    assert groups == {blueprint.split(".")[0] for blueprint in app.blueprints} - {"pages", "documents"}


@pytest.mark.usefixtures("settings")
def test_every_queue_has_a_consumer() -> None:
    from workers.main import create_worker  # noqa: PLC0415  it loads modules that only a worker needs

    broker = create_worker()
    assert {actor.queue_name: name for name, actor in broker.actors.items()} == QUEUES
    broker.close()
