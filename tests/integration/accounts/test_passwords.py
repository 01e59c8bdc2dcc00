"""Passwords: easy ones are refused with a sentence, and two ways to type the same letters are the same password."""

import unicodedata
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import update

from shared.database.units import write_unit
from shared.models.user import users
from shared.passwords import _hasher
from tests.factories import nothing_changes, on_sqlite_only

pytestmark = on_sqlite_only

# A password with letters that a Mac and a phone write as different characters.
PASSWORD = "déjà vu, \u1112\u1161\u11ab\u1100\u1173\u11af"
COMPOSED, DECOMPOSED = (unicodedata.normalize(form, PASSWORD) for form in ("NFC", "NFD"))


def sent(client: FlaskClient, path: str, password: str) -> Any:
    return client.post(path, json={"email": "ada@example.org", "password": password})


@pytest.mark.parametrize("password", [" " * 8, "\u3000" * 8, "\u200b" * 8, " \t\u00a0\u2028" * 3])
def test_a_password_that_shows_nothing_is_refused(password: str, core: Flask, client: FlaskClient) -> None:
    with nothing_changes():
        answer = sent(client, "/auth/sign-up", password)
    assert (answer.status_code, answer.json["code"]) == (422, "invalid_request")
    assert answer.json["errors"] == {"password": ["This password has only blanks. Choose one that can be seen."]}


@pytest.mark.parametrize(
    "password", ["password", "12345678", "PassWord1", "iloveyou", " qwertyuiop ", "aaaaaaaa", "1q2w3e4r", "!!!!!!!!"]
)
def test_a_password_that_attackers_try_first_is_refused(password: str, core: Flask, client: FlaskClient) -> None:
    with nothing_changes():
        answer = sent(client, "/auth/sign-up", password)
    assert (answer.status_code, list(answer.json["errors"])) == (422, ["password"])
    assert answer.json["errors"]["password"][0].startswith("This is one of the passwords that attackers try first.")


@pytest.mark.parametrize("at_sign_up", [COMPOSED, DECOMPOSED], ids=["composed", "decomposed"])
def test_the_same_letters_are_the_same_password(at_sign_up: str, core: Flask, client: FlaskClient) -> None:
    assert COMPOSED != DECOMPOSED
    assert sent(client, "/auth/sign-up", at_sign_up).status_code == 201
    assert {sent(client, "/auth/sign-in", typed).status_code for typed in (COMPOSED, DECOMPOSED)} == {200}
    assert sent(client, "/auth/sign-in", PASSWORD + "!").status_code == 401


def test_a_hash_of_an_older_version_still_lets_its_user_in(core: Flask, client: FlaskClient) -> None:
    sent(client, "/auth/sign-up", "the first password")
    for older in (DECOMPOSED, " " * 8, "password", "short"):
        with write_unit() as unit:
            unit.execute(update(users).values(password_hash=_hasher.hash(older)))
        assert sent(client, "/auth/sign-in", older).status_code == 200
