"""Access ends with a disabled or deleted account. Requests learn of a revocation in time."""

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
from shared.database.clock import utc_now
from shared.database.tables import db
from shared.database.units import execute, query, write_unit
from shared.errors.requests import Unauthenticated
from shared.models import User
from shared.models.revocation import revocations
from shared.models.user import users
from shared.redis.revocations import LEEWAY
from shared.settings import Settings
from tests.eventually import eventually
from tests.factories import nothing_changes
from tests.integration.accounts.device import PASSWORD, Device
from tests.integration.accounts.stored import rows_of


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


def test_a_request_waits_once_while_another_one_reads_a_database_that_hangs(
    phone: Device, core: Flask, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    known, claims = Revoked(), tokens.verify(settings.secret_key, tokens.ACCESS, phone.access_token)
    with monkeypatch.context() as patch:
        patch.setattr(known, "_reading", hanging := Hanging())
        known.now()
        assert not known.holds(claims)
        assert 0 < sum(hanging.waits) < 1
    known.now()
    assert known._due > time.monotonic(), "it reads once it can"
    assert known._patience > 0, "and waits again when that is due"


class Hanging:
    """A lock whose owner gets no answer."""

    def __init__(self) -> None:
        self.waits: list[float] = []

    def acquire(self, timeout: float) -> bool:
        self.waits.append(timeout)
        return False
