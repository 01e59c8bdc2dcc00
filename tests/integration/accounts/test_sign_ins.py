"""A sign-in ends by a sign-out, and no other sign-in ends with it. Its tokens name the sign-in."""

from typing import Any

from flask import Flask
from sqlalchemy import text, update

from api.access import tokens
from shared.actions.upkeep.forget_sign_ins import forget_sign_ins
from shared.database.clock import utc_now
from shared.database.units import execute, write_unit
from shared.models.sign_in import sign_ins
from shared.settings import Settings
from tests.eventually import eventually
from tests.factories import a_user, at_once, nothing_changes
from tests.integration.accounts.device import PASSWORD, Device
from tests.integration.accounts.stored import rows_of


def said(token: str, claim: str, settings: Settings, purpose: str = tokens.ACCESS) -> Any:
    return getattr(tokens.verify(settings.secret_key, purpose, token), claim)


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
