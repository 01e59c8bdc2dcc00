"""Guessing passwords becomes slow, and locks no owner out (D-110)."""

import pytest
from flask import Flask
from flask.testing import FlaskClient

from api.access.limits import Limit, limits
from shared.models import User
from tests.edge.limits.asking import PASSWORD, assert_refused, sign_in, sign_up
from tests.factories import on_sqlite_only, signed_in

pytestmark = on_sqlite_only


@pytest.fixture
def ada(client: FlaskClient) -> str:
    return str(sign_up(client).json["user"]["email"])


@pytest.mark.settings(rate_limit_auth="2/hour")
def test_guesses_are_slowed_and_the_owner_elsewhere_is_not(client: FlaskClient, ada: str) -> None:
    assert [sign_in(client, ada, "a guess").status_code for _ in range(3)] == [401, 401, 429]
    assert_refused(sign_in(client, ada, PASSWORD), at_least=1700, at_most=1800)
    assert sign_in(client, ada, PASSWORD, "198.51.100.2").status_code == 200
    assert sign_in(client, "nobody@example.org", "a guess").status_code == 401


@pytest.mark.settings(rate_limit_auth="1/hour")
def test_guesses_at_many_accounts_are_slowed_as_well(client: FlaskClient) -> None:
    answers = [sign_in(client, f"{n}@example.org", "a guess").status_code for n in range(11)]
    assert answers == [401] * 10 + [429]


@pytest.mark.settings(rate_limit_auth="3/second")
def test_guesses_of_many_addresses_lock_no_owner_out_but_leave_an_address_one_try(
    client: FlaskClient, app: Flask, ada: str
) -> None:
    with app.app_context():
        for _ in range(30):
            limits().spend(Limit.GUESSES_OF_ACCOUNT, ada)
    assert sign_in(client, ada, "a guess", "198.51.100.3").status_code == 401
    assert_refused(sign_in(client, ada, "a guess", "198.51.100.3"))
    assert sign_in(client, ada, PASSWORD, "198.51.100.2").status_code == 200


@pytest.mark.settings(rate_limit_auth="2/hour")
def test_the_password_of_a_deletion_is_no_way_to_guess(client: FlaskClient, app: Flask) -> None:
    user = sign_up(client).json["user"]
    thief = signed_in(app, User(id=user["id"]))
    delete = [thief.delete("/me", json={"password": "a guess"}).status_code for _ in range(3)]
    assert delete == [403, 403, 429]
