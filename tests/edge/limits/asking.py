"""Signs up and in as a client of any address, and knows how a refusal looks."""

from typing import Any
from uuid import uuid4

from flask.testing import FlaskClient

PASSWORD = "a long and private password"


def sign_up(client: FlaskClient, address: str = "198.51.100.1", email: str = "") -> Any:
    body = {"email": email or f"{uuid4().hex}@example.org", "password": PASSWORD}
    return client.post("/auth/sign-up", json=body, environ_base={"REMOTE_ADDR": address})


def sign_in(client: FlaskClient, email: str, password: str, address: str = "198.51.100.1") -> Any:
    body = {"email": email, "password": password}
    return client.post("/auth/sign-in", json=body, environ_base={"REMOTE_ADDR": address})


def assert_refused(answer: Any, at_least: int = 1, at_most: int = 3600) -> None:
    assert (answer.status_code, answer.json["code"]) == (429, "too_many_requests")
    assert answer.json["retryable"]
    assert at_least <= answer.json["retryAfter"] <= at_most
    assert answer.headers["Retry-After"] == str(answer.json["retryAfter"])
