"""Pages of other sites: a listed one may use the API, and any other one gets no permission."""

import logging

import pytest
from flask import Flask
from flask.testing import FlaskClient

APP = "http://app.example:5173"
SIX = "http://[::1]:5173"
ASKS = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "authorization,idempotency-key"}

pytestmark = [
    pytest.mark.settings(allowed_origins=[APP, SIX]),
    pytest.mark.parametrize("database_url", ["sqlite"], indirect=True),
]


@pytest.mark.parametrize("origin", [APP, SIX, APP.upper()])
@pytest.mark.parametrize("path", ["/chats", "/chats/x/messages", "/auth/refresh", "/me", "/nowhere"])
def test_a_browser_that_asks_for_a_listed_site_gets_permission(client: FlaskClient, origin: str, path: str) -> None:
    answer = client.options(path, headers={"Origin": origin, **ASKS})
    assert answer.headers["Access-Control-Allow-Origin"] == origin
    assert answer.headers["Access-Control-Allow-Credentials"] == "true"
    assert answer.headers["Access-Control-Max-Age"] == "600"
    assert "Origin" in answer.headers["Vary"]
    if path != "/nowhere":
        assert answer.status_code == 200
        assert answer.headers["Access-Control-Allow-Headers"] == "authorization, idempotency-key"
        assert {"GET", "PUT", "PATCH", "DELETE"} <= set(answer.headers["Access-Control-Allow-Methods"].split(", "))


@pytest.mark.parametrize(
    "origin",
    ["http://app.example", "http://app.example:51731", "https://app.example:5173", "http://evil.example", "null"],
)
def test_no_other_site_gets_permission(client: FlaskClient, origin: str) -> None:
    for answer in (
        client.options("/chats", headers={"Origin": origin, **ASKS}),
        client.get("/config", headers={"Origin": origin}),
    ):
        assert [name for name, _ in answer.headers if name.startswith("Access-Control")] == []


def test_a_script_of_a_listed_site_reads_answers_and_errors_alike(app: Flask, client: FlaskClient) -> None:
    app.config["PROPAGATE_EXCEPTIONS"] = False

    @app.get("/broken")
    def broken() -> None:
        raise RuntimeError("on purpose")

    for path, status in (("/config", 200), ("/me", 401), ("/nowhere", 404), ("/broken", 500)):
        answer = client.get(path, headers={"Origin": APP})
        assert answer.status_code == status
        assert answer.headers["Access-Control-Allow-Origin"] == APP
        assert "Idempotent-Replayed, " in answer.headers["Access-Control-Expose-Headers"]


def test_without_an_origin_no_site_is_named(client: FlaskClient) -> None:
    assert [name for name, _ in client.get("/config").headers if name.startswith("Access-Control")] == []


def test_no_client_adds_a_line_to_the_log(client: FlaskClient, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)  # the library has a line for each such request, below its own level
    for method in ({}, {"Access-Control-Request-Method": "NONE"}):
        client.options("/chats", headers={"Origin": APP, **method})
    assert caplog.messages == []
