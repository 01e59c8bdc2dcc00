"""Sign-ins end by a sign-out, or with the account disabled or deleted. The server refuses their tokens from then on."""

import time
from concurrent.futures import ThreadPoolExecutor, wait
from typing import Any

import jwt
import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import event, select, text, update

from api.access import tokens
from api.access.revoked import Revoked
from shared.actions.accounts.delete import delete_account
from shared.actions.accounts.disable import disable_account, enable_account
from shared.actions.accounts.sign_ins import begin_sign_in, end_sign_in
from shared.actions.owner_unit import owner_unit
from shared.actions.upkeep.forget_sign_ins import forget_sign_ins
from shared.database.clock import utc_now
from shared.database.tables import db
from shared.database.units import execute, query, write_unit
from shared.errors.requests import Unauthenticated
from shared.models import User
from shared.models.revocation import revocations
from shared.models.sign_in import sign_ins
from shared.models.user import users
from shared.redis.revocations import LEEWAY
from shared.settings import Settings
from tests.eventually import eventually
from tests.factories import a_user, at_once, nothing_changes

PASSWORD = "correct horse battery staple"


class Device:
    """One sign-in of a user, with both tokens. The first device signs the user up."""

    def __init__(self, app: Flask, email: str, path: str = "/auth/sign-in") -> None:
        self.client, self.email = app.test_client(), email
        body = {"email": email, "password": PASSWORD, "tokenMode": "body"}
        self._take(self.client.post(path, json=body))

    def get(self, path: str = "/chats") -> int:
        headers = {"Authorization": f"Bearer {self.access_token}"}
        return self.client.get(path, headers=headers).status_code

    def refresh(self) -> Any:
        return self.client.post("/auth/refresh", json={"refreshToken": self.refresh_token})

    def renew(self) -> None:
        self._take(self.refresh())

    def sign_out(self) -> Any:
        return self.client.post("/auth/sign-out", json={"refreshToken": self.refresh_token})

    def _take(self, answer: Any) -> None:
        assert answer.status_code in (200, 201), answer.text
        self.id, self.access_token = answer.json["user"]["id"], answer.json["accessToken"]
        self.refresh_token = answer.json["refreshToken"]


@pytest.fixture
def phone(app: Flask, core: Flask) -> Device:
    return Device(app, "ada@example.org", "/auth/sign-up")


@pytest.fixture
def laptop(app: Flask, phone: Device) -> Device:
    return Device(app, phone.email)


def said(token: str, claim: str, settings: Settings, purpose: str = tokens.ACCESS) -> Any:
    return getattr(tokens.verify(settings.secret_key, purpose, token), claim)


def rows_of(user_id: str) -> list[Any]:
    return query(select(sign_ins).where(sign_ins.c.user_id == user_id).order_by(sign_ins.c.id))


def test_both_tokens_name_the_sign_in_they_come_from(phone: Device, laptop: Device, settings: Settings) -> None:
    ids = [row.id for row in rows_of(phone.id)]
    assert [said(device.access_token, "session_id", settings) for device in (phone, laptop)] == ids
    assert said(phone.refresh_token, "session_id", settings, tokens.REFRESH) == ids[0]
    phone.renew()
    assert said(phone.access_token, "session_id", settings) == ids[0]
    assert len(rows_of(phone.id)) == 2


def test_a_refresh_moves_the_end_of_the_sign_in_on(phone: Device, settings: Settings) -> None:
    (before,) = rows_of(phone.id)
    phone.renew()
    (after,) = rows_of(phone.id)
    assert after.expires_at > before.expires_at
    assert abs((after.expires_at - utc_now()).total_seconds() - settings.refresh_token_seconds) < 60


def test_two_tabs_refresh_at_once_and_both_go_on(phone: Device, core: Flask) -> None:
    answers = at_once(core, *[phone.refresh] * 4)
    assert {answer.status_code for answer in answers} == {200}
    for answer in answers:
        phone.refresh_token = answer.json["refreshToken"]
        assert phone.refresh().status_code == 200


def test_signing_out_ends_this_sign_in_and_no_other(phone: Device, laptop: Device, app: Flask) -> None:
    old_token, bob = phone.refresh_token, Device(app, "bob@example.org", "/auth/sign-up")
    phone.renew()
    assert phone.sign_out().status_code == 204
    phone_row, laptop_row = rows_of(phone.id)
    assert phone_row.ended_at
    assert laptop_row.ended_at is None
    for token in (phone.refresh_token, old_token):
        answer = app.test_client().post("/auth/refresh", json={"refreshToken": token})
        assert (answer.status_code, answer.json["code"]) == (401, "unauthenticated")
    eventually(lambda: phone.get() == 401, within=5)
    assert [laptop.get(), laptop.refresh().status_code, bob.get(), bob.refresh().status_code] == [200] * 4


def test_the_cookie_alone_signs_out(app: Flask, core: Flask) -> None:
    browser = app.test_client()
    browser.post("/auth/sign-up", json={"email": "eve@example.org", "password": PASSWORD})
    cookie = browser.get_cookie("holdfast_refresh", path="/auth")
    assert cookie
    assert browser.post("/auth/sign-out").status_code == 204
    answer = app.test_client().post("/auth/refresh", json={"refreshToken": cookie.value})
    assert answer.status_code == 401


def test_the_access_token_alone_signs_out(phone: Device, app: Flask) -> None:
    headers = {"Authorization": f"Bearer {phone.access_token}"}
    assert app.test_client().post("/auth/sign-out", headers=headers).status_code == 204
    assert phone.refresh().status_code == 401


def test_signing_out_without_a_good_token_changes_nothing_and_says_the_same(
    phone: Device, app: Flask, settings: Settings
) -> None:
    stranger = app.test_client()
    forged = tokens.issue(settings.secret_key[::-1], tokens.REFRESH, phone.id, 60, rows_of(phone.id)[0].id)
    nobodys = tokens.issue(settings.secret_key, tokens.REFRESH, a_user().id, 60, rows_of(phone.id)[0].id)
    with nothing_changes():
        for token in (None, "garbage", forged, nobodys, phone.access_token):
            assert stranger.post("/auth/sign-out", json={"refreshToken": token}).status_code == 204
        assert stranger.post("/auth/sign-out", headers={"Authorization": "Bearer x"}).status_code == 204
    assert phone.sign_out().status_code == 204
    with nothing_changes():
        assert phone.sign_out().status_code == 204


def test_a_refresh_token_that_names_no_living_sign_in_is_refused(phone: Device, settings: Settings) -> None:
    good = phone.refresh_token
    phone.refresh_token = tokens.issue(settings.secret_key, tokens.REFRESH, phone.id, 60)  # as before migration 0005
    assert phone.refresh().status_code == 401
    phone.refresh_token = tokens.issue(settings.secret_key, tokens.REFRESH, a_user().id, 60, rows_of(phone.id)[0].id)
    assert phone.refresh().status_code == 401
    phone.refresh_token = good
    with write_unit():
        execute(update(sign_ins).values(expires_at=utc_now()))
    assert phone.refresh().status_code == 401
    assert forget_sign_ins() == 1
    assert rows_of(phone.id) == []


def test_sign_ins_that_still_run_are_not_forgotten(phone: Device, laptop: Device) -> None:
    phone.sign_out()
    with nothing_changes():
        assert forget_sign_ins() == 0


def test_a_disabled_user_is_out_everywhere_and_may_come_back_when_enabled(
    phone: Device, laptop: Device, app: Flask, client: FlaskClient
) -> None:
    disable_account(phone.id)
    assert [phone.get(), laptop.get(), phone.refresh().status_code] == [401] * 3
    sign_in = {"email": phone.email, "password": PASSWORD}
    assert client.post("/auth/sign-in", json=sign_in).json["code"] == "wrong_credentials"
    enable_account(phone.id)
    again = Device(app, phone.email)  # in the same second
    eventually(lambda: again.get() == 200, within=5)
    assert again.refresh().status_code == 200
    assert [phone.refresh().status_code, laptop.refresh().status_code] == [401, 401]


def test_tokens_of_before_do_not_come_back_when_the_user_is_enabled(
    phone: Device, app: Flask, settings: Settings
) -> None:
    session_id, old = rows_of(phone.id)[0].id, int(time.time()) - 5
    claims = {"iss": "holdfast", "aud": "access", "sub": phone.id, "sid": session_id, "iat": old, "exp": old + 900}
    phone.access_token = jwt.encode(claims, settings.secret_key, algorithm="HS256")
    assert phone.get() == 200
    disable_account(phone.id)
    enable_account(phone.id)
    eventually(lambda: phone.get() == 401, within=5)


def test_nobody_signs_in_to_an_account_that_is_not_in_use(core: Flask, user: User) -> None:
    disable_account(user.id)
    with nothing_changes(), pytest.raises(Unauthenticated):
        begin_sign_in(user.id)


def test_nobody_signs_in_while_being_disabled(core: Flask, user: User) -> None:
    def sign_in() -> None:
        with core.app_context():
            begin_sign_in(user.id)

    with ThreadPoolExecutor(1) as pool:
        with owner_unit(user.id):
            execute(update(users).where(users.c.id == user.id).values(disabled_at=utc_now()))
            signing_in = pool.submit(sign_in)
            wait([signing_in], 0.5)  # the sign-in waits until the other unit commits
        with pytest.raises(Unauthenticated):
            signing_in.result(20)
    assert rows_of(user.id) == []


def test_deleting_the_account_leaves_a_revocation_and_no_sign_in(phone: Device, laptop: Device) -> None:
    delete_account(phone.id)
    assert rows_of(phone.id) == []
    (row,) = query(select(revocations))
    assert row.subject == f"user:{phone.id}"
    assert 0 <= row.void_until - time.time() - LEEWAY + 5 <= 5
    assert [phone.refresh().status_code, phone.get()] == [401, 401]


def test_a_sign_out_that_the_database_can_not_store_is_no_sign_out(phone: Device, settings: Settings) -> None:
    with write_unit():
        execute(text("ALTER TABLE revocations RENAME TO away"))
    try:
        answer = phone.sign_out()
        assert answer.status_code >= 500
        assert rows_of(phone.id)[0].ended_at is None
        assert "Set-Cookie" not in answer.headers  # the cookie stays, so the user can try again
    finally:
        with write_unit():
            execute(text("ALTER TABLE away RENAME TO revocations"))
    assert phone.sign_out().status_code == 204
    assert rows_of(phone.id)[0].ended_at


def test_requests_ask_for_what_was_revoked_every_two_seconds_at_most(phone: Device) -> None:
    asked: list[str] = []
    with phone.client.application.app_context():
        engine = db.engine

    @event.listens_for(engine, "before_cursor_execute")
    def note(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        asked.extend([statement] if "revocations" in statement else [])

    began = time.monotonic()
    while time.monotonic() - began < 1.0:
        assert phone.get() == 200
    assert len(asked) <= 1 + (time.monotonic() - began) / 2
    eventually(lambda: phone.get() == 200 and len(asked) >= 2, within=5)


def test_while_the_database_does_not_answer_the_last_reading_counts(
    phone: Device, laptop: Device, core: Flask, settings: Settings
) -> None:
    known = Revoked()
    out, there = (tokens.verify(settings.secret_key, tokens.ACCESS, d.access_token) for d in (phone, laptop))
    assert out.session_id
    end_sign_in(out.session_id, phone.id)
    assert known.holds(out)
    with write_unit():
        execute(text("ALTER TABLE revocations RENAME TO away"))
    try:
        known._due = 0.0
        assert known.holds(out)
        assert not known.holds(there)
        assert known._due > time.monotonic()  # and the database is not asked again at once
    finally:
        with write_unit():
            execute(text("ALTER TABLE away RENAME TO revocations"))
