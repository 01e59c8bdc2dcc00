"""The server refuses an access token that is forged, expired or of nobody, and says so."""

import json
import time
from typing import Any

import jwt
import pytest
from flask import Flask
from flask.testing import FlaskClient

from api.access import tokens
from shared.models import User
from shared.settings import Settings
from tests.factories import a_user, nothing_changes, on_sqlite_only, signed_in
from tests.integration.accounts.device import works


def claims(**changed: Any) -> dict[str, Any]:
    """The claims of a good access token, some of them changed. None leaves a claim out."""
    now = int(time.time())
    good = {"iss": "holdfast", "aud": "access", "sub": "0" * 32, "iat": now, "exp": now + 3600}
    return {name: value for name, value in (good | changed).items() if value is not None}


FORGED: dict[str, tuple[dict[str, Any], str]] = {
    "expired": (claims(exp=int(time.time()) - 60), "token_expired"),
    "expires never": (claims(exp=None), "unauthenticated"),
    "not issued at any time": (claims(iat=None), "unauthenticated"),
    "for refreshing": (claims(aud="refresh"), "unauthenticated"),
    "for nothing": (claims(aud=None), "unauthenticated"),
    "of another issuer": (claims(iss="another"), "unauthenticated"),
    "of nobody": (claims(sub=None), "unauthenticated"),
    "of a number": (claims(sub=7), "unauthenticated"),
}


def refusal(client: FlaskClient, authorization: str) -> str:
    answer = client.get("/chats", headers={"Authorization": authorization})
    assert (answer.status_code, answer.headers["WWW-Authenticate"]) == (401, "Bearer")
    assert answer.mimetype == "application/problem+json"
    return str(answer.json["code"])


@on_sqlite_only
@pytest.mark.parametrize("what", FORGED)
def test_a_token_is_refused_that_is(what: str, client: FlaskClient, settings: Settings) -> None:
    payload, code = FORGED[what]
    # PyJWT refuses to sign a subject that is no string
    header = {"alg": "HS256", "typ": "JWT"}
    token = jwt.PyJWS().encode(json.dumps(payload).encode(), settings.secret_key, headers=header)
    assert refusal(client, f"Bearer {token}") == code


@pytest.mark.settings(secret_key="long enough for every algorithm " * 2)
def test_a_token_is_refused_without_a_good_signature(core: Flask, client: FlaskClient, settings: Settings) -> None:
    good = tokens.issue(settings.secret_key, tokens.ACCESS, a_user().id, 60)
    head, body, signature = good.split(".")
    forged = [
        jwt.encode(claims(), None, algorithm="none"),
        jwt.encode(claims(), "another secret, long enough for the algorithm", algorithm="HS256"),
        jwt.encode(claims(), settings.secret_key, algorithm="HS512"),
        f"{head}.{body}.",
        f"{head}.{body}.{signature[::-1]}",
    ]
    assert {refusal(client, f"Bearer {token}") for token in forged} == {"unauthenticated"}
    assert works(client, good)


@on_sqlite_only
@pytest.mark.parametrize(
    "authorization", ["", "Bearer", "Bearer ", "Bearer x", "Basic YTpi", "Bearer \xe9", "x" * 9000]
)
def test_anything_else_is_no_token(authorization: str, client: FlaskClient) -> None:
    assert refusal(client, authorization) == "unauthenticated"


def test_a_token_whose_user_is_gone_makes_nothing(core: Flask, app: Flask) -> None:
    ghost = signed_in(app, User(id="01890000-0000-7000-8000-000000000000"))
    with nothing_changes():
        assert ghost.post("/chats", json={}).status_code == 401
        assert ghost.get("/chats").status_code == 401
