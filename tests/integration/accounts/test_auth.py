"""Accounts and sessions: signing up, in and out, refreshing, and the cookie of the refresh token."""

from http.cookies import Morsel, SimpleCookie
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select, update

from shared.database.clock import utc_now
from shared.database.tables import db
from shared.database.units import write_unit
from shared.models.credits import credit_entries
from shared.models.user import users
from tests.factories import nothing_changes, on_sqlite_only, the_user
from tests.integration.accounts.device import works

ADA = {"email": "ada@example.org", "password": "a long enough password"}


def sign_up(client: FlaskClient, **fields: str) -> Any:
    return client.post("/auth/sign-up", json=ADA | fields)


def sign_in(client: FlaskClient, **fields: str) -> Any:
    return client.post("/auth/sign-in", json=ADA | fields)


def refresh_cookie(answer: Any) -> Morsel[str]:
    (header,) = answer.headers.getlist("Set-Cookie")
    return SimpleCookie(header)["holdfast_refresh"]


def disable(user_id: str) -> None:
    with write_unit() as session:
        session.execute(update(users).where(users.c.id == user_id).values(disabled_at=utc_now()))


def test_signing_up_makes_an_account_with_its_first_credits(core: Flask, client: FlaskClient) -> None:
    answer = sign_up(client)
    assert answer.status_code == 201
    user = answer.json["user"]
    known = {"email": "ada@example.org", "role": "user", "credits": 300, "subscription": None}
    assert user == {"id": user["id"], **known}
    assert answer.json["expiresIn"] == 900
    assert works(client, answer.json["accessToken"])
    (entry,) = db.session.execute(select(credit_entries)).all()
    assert (entry.user_id, entry.kind, entry.delta, entry.ref) == (user["id"], "grant", 300, "sign-up")


def test_a_password_is_kept_as_a_hash_only(core: Flask, client: FlaskClient) -> None:
    stored = the_user(sign_up(client).json["user"]["id"])
    assert stored.password_hash.startswith("$argon2id$")
    assert ADA["password"] not in str(stored)


@pytest.mark.parametrize("email", ["ada@example.org", "Ada@Example.ORG", " ada@example.org "])
def test_an_email_has_one_account_whatever_its_case(email: str, core: Flask, client: FlaskClient) -> None:
    sign_up(client)
    with nothing_changes():
        answer = sign_up(client, email=email)
    assert (answer.status_code, answer.json["code"]) == (409, "email_taken")
    assert "Set-Cookie" not in answer.headers


@pytest.mark.parametrize("email", ["ada@example.org", "ADA@example.org"])
def test_signing_in_starts_a_session(email: str, client: FlaskClient) -> None:
    user = sign_up(client).json["user"]
    answer = sign_in(client, email=email)
    assert (answer.status_code, answer.json["user"]) == (200, user)
    assert works(client, answer.json["accessToken"])


def test_a_wrong_password_an_unknown_and_a_disabled_user_answer_alike(core: Flask, client: FlaskClient) -> None:
    bob = sign_up(client, email="bob@example.org").json["user"]
    sign_up(client)
    disable(bob["id"])
    answers = [
        sign_in(client, password="another password"),
        sign_in(client, email="nobody@example.org"),
        sign_in(client, email="bob@example.org"),
        sign_in(client, password="x"),
    ]
    assert {(answer.status_code, answer.json["code"]) for answer in answers} == {(401, "wrong_credentials")}
    assert len({answer.data for answer in answers}) == 1
    assert len({str(answer.headers) for answer in answers}) == 1


def test_the_refresh_token_is_a_cookie_that_no_script_and_no_other_page_sees(client: FlaskClient) -> None:
    for answer in (sign_up(client), sign_in(client)):
        assert "refreshToken" not in answer.json
        cookie = refresh_cookie(answer)
        assert (cookie["path"], cookie["httponly"], cookie["samesite"]) == ("/auth", True, "Strict")
        assert (cookie["max-age"], cookie["domain"], cookie["secure"]) == ("2592000", "", "")


def test_over_https_the_cookie_is_secure(client: FlaskClient) -> None:
    answer = client.post("/auth/sign-up", json=ADA, base_url="https://localhost")
    assert refresh_cookie(answer)["secure"] is True


@pytest.mark.settings(public_url="https://chat.example")
def test_behind_a_proxy_with_a_public_url_of_https_the_cookie_is_secure(client: FlaskClient) -> None:
    assert refresh_cookie(sign_up(client))["secure"] is True


def test_the_cookie_gets_a_new_access_token(client: FlaskClient) -> None:
    user = sign_up(client).json["user"]
    answer = client.post("/auth/refresh")
    assert (answer.status_code, answer.json["user"]) == (200, user)
    assert works(client, answer.json["accessToken"])
    assert refresh_cookie(answer).value


def test_the_body_gets_one_for_clients_without_cookies(app: Flask, client: FlaskClient) -> None:
    signed_up = sign_up(client, tokenMode="body")
    assert "Set-Cookie" not in signed_up.headers
    other = app.test_client()
    answer = other.post("/auth/refresh", json={"refreshToken": signed_up.json["refreshToken"]})
    assert answer.status_code == 200
    assert works(other, answer.json["accessToken"])
    assert answer.json["refreshToken"]
    assert "Set-Cookie" not in answer.headers


def test_signing_out_forgets_the_cookie(client: FlaskClient) -> None:
    sign_up(client)
    answer = client.post("/auth/sign-out")
    cookie = refresh_cookie(answer)
    assert (answer.status_code, cookie.value, cookie["max-age"], cookie["path"]) == (204, "", "0", "/auth")
    assert client.post("/auth/refresh").status_code == 401


def test_a_disabled_user_gets_no_new_token(core: Flask, client: FlaskClient) -> None:
    disable(sign_up(client).json["user"]["id"])
    answer = client.post("/auth/refresh")
    assert (answer.status_code, answer.json["code"]) == (401, "unauthenticated")


@on_sqlite_only
@pytest.mark.parametrize("token", ["", "garbage", "a.b.c", "é", 7])
def test_a_refresh_token_that_is_none_gets_nothing(token: Any, client: FlaskClient) -> None:
    answer = client.post("/auth/refresh", json={"refreshToken": token})
    assert answer.status_code in (401, 422)


def test_an_access_token_refreshes_nothing(client: FlaskClient) -> None:
    token = sign_up(client, tokenMode="body").json["accessToken"]
    assert client.post("/auth/refresh", json={"refreshToken": token}).json["code"] == "unauthenticated"
