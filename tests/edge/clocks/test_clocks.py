"""A clock is wrong: a user who signed out is out all the same, and one who is signed in stays so."""

from collections.abc import Iterator
from datetime import timedelta
from email.utils import format_datetime

import pytest
from flask import Flask
from sqlalchemy import select

from shared.actions.accounts.disable import disable_account
from shared.actions.accounts.sign_ins import begin_sign_in
from shared.actions.chats.delete import delete_chat
from shared.actions.upkeep.copy_revocations import copy_revocations
from shared.core import current_link
from shared.database.clock import read_db_moment, utc_now
from shared.database.units import query
from shared.models.revocation import revocations
from shared.models.sign_in import sign_ins
from shared.redis.broker import worker_broker
from shared.redis.queues import REPLIES
from shared.redis.revocations import LEEWAY
from shared.settings import Settings
from tests.edge.clocks.set_clocks import Clocks, clocks
from tests.factories import a_chat, a_post, a_user, clock, the_chat
from tests.integration.accounts.device import Device
from workers.providers.openai_client import _retry_after

HOUR = 3600.0
TEN_MINUTES = 600.0


@pytest.fixture
def wrong(core: Flask, app: Flask) -> Iterator[Clocks]:
    with clocks(core, app) as clocks_of_test:
        yield clocks_of_test


@pytest.fixture
def phone(app: Flask, core: Flask) -> Device:
    return Device(app, "ada@example.org", "/auth/sign-up")


def code(device: Device) -> str:
    answer = device.client.get("/chats", headers={"Authorization": f"Bearer {device.access_token}"})
    return str(answer.status_code if answer.status_code == 200 else answer.json["code"])


def reads_anew(device: Device) -> None:
    """Lets the API read the database's clock and the revocations now, not within the next two seconds."""
    device.client.application.extensions["revoked"]._due = 0.0


def test_the_clocks_of_these_tests_are_wrong(wrong: Clocks) -> None:
    machine, moment, milliseconds = utc_now(), read_db_moment(), clock()
    wrong.set_machine(HOUR)
    wrong.set_database(-TEN_MINUTES)
    assert abs((utc_now() - machine).total_seconds() - HOUR) < 60
    assert abs((read_db_moment() - moment).total_seconds() + TEN_MINUTES) < 60
    assert abs(clock() - milliseconds + TEN_MINUTES * 1000) < 60_000


@pytest.mark.parametrize("web", [-HOUR, HOUR])
def test_whoever_signs_out_at_a_machine_with_a_wrong_clock_is_out(web: float, wrong: Clocks, phone: Device) -> None:
    wrong.set_machine(web)
    phone.renew()
    assert code(phone) == "200"
    assert phone.sign_out().status_code == 204
    assert copy_revocations() == 0, "Redis was told at once, and the sweeper forgets nothing that it should know"
    reads_anew(phone)
    assert code(phone) == "unauthenticated"
    assert phone.refresh().status_code == 401


@pytest.mark.parametrize("programs", [-HOUR, HOUR])
def test_programs_with_a_wrong_clock_sign_people_in_and_keep_them(
    programs: float, wrong: Clocks, phone: Device, app: Flask
) -> None:
    wrong.set_machine(programs)
    assert code(phone) == "200"
    phone.renew()
    assert code(phone) == "200"
    assert code(Device(app, phone.email)) == "200"


def test_after_all_clocks_were_set_back_people_go_on_and_sign_out_for_good(wrong: Clocks, phone: Device) -> None:
    before = phone.access_token
    wrong.set_machine(-HOUR)
    wrong.set_database(-HOUR)
    reads_anew(phone)
    assert code(phone) == "token_expired", "it would live for an hour more, so its client has to refresh"
    phone.renew()
    assert code(phone) == "200"
    assert phone.sign_out().status_code == 204
    phone.access_token, after = before, phone.access_token
    # the clocks are right again, and the first token is of a time that has come
    wrong.set_database(0)
    copy_revocations()
    for token in (before, after):
        phone.access_token = token
        reads_anew(phone)
        assert code(phone) != "200"
    assert phone.refresh().status_code == 401


@pytest.mark.parametrize("set_to", [-HOUR, 2 * HOUR])
def test_a_sign_out_is_true_for_a_token_of_any_time(set_to: float, wrong: Clocks, phone: Device) -> None:
    wrong.set_database(set_to)
    headers = {"Authorization": f"Bearer {phone.access_token}"}
    reads_anew(phone)
    assert code(phone) == "token_expired"
    assert phone.client.post("/auth/sign-out", headers=headers).status_code == 204
    assert phone.refresh().status_code == 401
    wrong.set_database(0)
    copy_revocations()
    reads_anew(phone)
    assert code(phone) == "unauthenticated"


def test_a_disabled_user_is_out_though_the_clocks_were_set_back(wrong: Clocks, phone: Device) -> None:
    wrong.set_database(-HOUR)
    disable_account(phone.id)
    (row,) = query(select(revocations))
    assert row.void_until > (read_db_moment() + timedelta(seconds=HOUR)).timestamp()


@pytest.mark.parametrize("machine", [-100 * 86_400.0, 100 * 86_400.0])
def test_what_is_deleted_or_revoked_or_runs_out_has_its_time_from_the_database(
    machine: float, wrong: Clocks, settings: Settings
) -> None:
    wrong.set_machine(machine)
    chat = a_chat(a_user())
    begin_sign_in(chat.owner_id)
    a_post(chat, key="k")
    delete_chat(chat.owner_id, chat.id)
    (sign_in,) = query(select(sign_ins.c.created_at, sign_ins.c.expires_at))
    disable_account(chat.owner_id)
    (revoked,) = query(select(revocations.c.void_until))[0]
    now = read_db_moment()
    moments = [the_chat(chat.id).deleted_at, sign_in.created_at]
    moments.append(sign_in.expires_at - timedelta(seconds=settings.refresh_token_seconds))
    assert all(timedelta(0) <= now - moment < timedelta(minutes=1) for moment in moments)
    assert abs(revoked - LEEWAY - now.timestamp()) < 60


def test_a_web_with_a_fast_clock_brings_no_running_job_back(wrong: Clocks, settings: Settings) -> None:
    a_post()
    worker = worker_broker(settings, []).consume(REPLIES)
    assert next(worker), "a worker has fetched the job"
    wrong.set_machine(HOUR)
    a_post()
    pipe = current_link().pipeline()
    pipe.llen(f"{settings.namespace}:queue:{REPLIES}")
    assert current_link().send(pipe) == [1]
    worker.close()


def test_a_models_pause_until_a_date_is_counted_by_its_own_clock() -> None:
    there = utc_now() + timedelta(hours=1)
    headers = {"date": format_datetime(there), "retry-after": format_datetime(there + timedelta(seconds=30))}
    assert _retry_after(headers) == 30.0
    soon = format_datetime(utc_now() + timedelta(seconds=30))
    assert 0 < (_retry_after({"retry-after": soon}) or 0) <= 30
