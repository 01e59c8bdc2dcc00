"""A forgotten `SELECT … FOR UPDATE` on one row costs the owner of that row, and nobody else."""

from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from redis import Redis
from sqlalchemy import Table, insert, select, update

from shared.actions.accounts.sign_ins import begin_sign_in
from shared.actions.chats.delete import delete_chat
from shared.actions.replies.claim import Claim
from shared.actions.replies.leases import renew_leases
from shared.actions.replies.rescue import rescue_lapsed
from shared.actions.upkeep.copy_revocations import copy_revocations
from shared.database.clock import utc_now
from shared.database.units import execute, query, write_unit
from shared.models.chat import chat_sessions
from shared.models.idempotency import idempotency_keys
from shared.models.message import messages
from shared.models.revocation import revocations
from shared.models.sign_in import sign_ins
from shared.models.user import users
from shared.settings import Settings
from tests.edge.rows.held_rows import held
from tests.factories import a_chat, a_claim, a_post, a_user, change, past, the_message
from workers.run import Run
from workers.sweeper import clean, sweep
from workers.watchdog import Watchdog

pytestmark = pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)  # SQLite has no locks of rows

NO_WAIT = "unit.repeated"


@pytest.fixture
def claims(core: Flask) -> list[Claim]:
    """Six users' replies that one worker writes."""
    return [a_claim() for _ in range(6)]


def leases(claims: list[Claim]) -> list[int | None]:
    return [the_message(claim.id).lease_until for claim in claims]


def test_a_worker_renews_all_leases_but_the_one_of_a_locked_row(
    claims: list[Claim], database_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    before = leases(claims)
    running = [(claim, "So far", 1) for claim in claims]
    with held(database_url, messages, messages.c.id == claims[2].id):
        renewed = renew_leases(running)
    assert renewed == {(claim.id, claim.attempt) for claim in claims if claim is not claims[2]}
    moved = [now > then for now, then in zip(leases(claims), before, strict=True)]  # type: ignore[operator]
    assert moved == [True, True, False, True, True, True]
    assert NO_WAIT not in caplog.text, "nobody waited for the lock"
    assert renew_leases(running) == {(claim.id, claim.attempt) for claim in claims}


def test_a_reply_whose_row_is_locked_is_tried_again_and_keeps_its_own_end(
    claims: list[Claim], core: Flask, settings: Settings, database_url: str
) -> None:
    watchdog, runs = Watchdog(core, settings), [Run(claim) for claim in claims]
    for run in runs:
        run.leased(run.started - settings.lease_seconds / 2, settings.lease_seconds)  # due for a renewal
    ends = [run.leased_until for run in runs]
    with held(database_url, messages, messages.c.id == claims[0].id):
        watchdog._look_at_rows(runs)
    assert [run.leased_until > end for run, end in zip(runs, ends, strict=True)] == [False] + [True] * 5
    assert {run.cut for run in runs} == {None}
    watchdog._look_at_rows(runs)
    assert runs[0].leased_until > ends[0]


def test_while_its_row_is_locked_a_lapsed_reply_stays_and_then_has_one_owner(
    claims: list[Claim], database_url: str
) -> None:
    locked, other = claims[:2]
    for claim in (locked, other):
        change(claim.id, lease_until=past(1))
    with held(database_url, messages, messages.c.id == locked.id):
        sweep()
        assert [the_message(claim.id).status for claim in (locked, other)] == ["running", "pending"]
    sweep()
    assert the_message(locked.id).status == "pending"
    assert renew_leases([(locked, "a zombie's", 1)]) == set()
    assert the_message(locked.id).content == ""


@pytest.mark.parametrize("table", [users, messages], ids=str)
def test_a_sweep_waits_for_the_first_locked_row_only(
    table: Table, claims: list[Claim], database_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    for claim in claims:
        change(claim.id, lease_until=past(1))
    locked = {claim.owner_id if table is users else claim.id for claim in claims[:4]}
    with held(database_url, table, table.c.id.in_(locked)):
        assert rescue_lapsed() == 2
    assert caplog.text.count("sweeper.row_held") == 4
    assert caplog.text.count(NO_WAIT) == 2, "one unit waited, was repeated twice, and given up"
    assert rescue_lapsed() == 4


OLD = timedelta(days=400)


def two_old_rows(*tables: Table) -> None:
    for _ in range(2):
        posted = a_post(key="k")
        begin_sign_in(posted.message.owner_id)
        delete_chat(posted.message.owner_id, posted.message.chat_session_id)
    with write_unit():
        for table in tables:
            column = {idempotency_keys: "created_at", sign_ins: "expires_at"}.get(table, "deleted_at")
            execute(update(table).values({column: utc_now() - OLD}))


def left(table: Table) -> list[Any]:
    return query(select(table.c.id))


@pytest.mark.parametrize("table", [idempotency_keys, sign_ins, messages], ids=str)
def test_a_locked_row_that_is_too_old_keeps_no_other_one(table: Table, core: Flask, database_url: str) -> None:
    two_old_rows(table)
    locked = left(table)[0]
    with held(database_url, table, table.c.id == locked.id):
        clean()
        assert left(table) == [locked]
    clean()
    assert left(table) == []


def test_a_locked_user_keeps_no_other_ones_tombstones(core: Flask, database_url: str) -> None:
    two_old_rows(messages, chat_sessions)
    locked = query(select(users.c.id))[0][0]
    with held(database_url, users, users.c.id == locked):
        clean()
        clean()
        assert {row.owner_id for row in query(select(messages.c.owner_id))} == {locked}
    clean()
    assert left(messages) == left(chat_sessions) == []


def test_a_locked_revocation_does_not_keep_the_others_from_redis(
    core: Flask, database_url: str, redis_url: str
) -> None:
    with write_unit():
        execute(insert(revocations), [{"subject": "session:old", "void_until": 1}])
        execute(insert(revocations), [{"subject": "session:new", "void_until": int(utc_now().timestamp())}])
    with held(database_url, revocations, revocations.c.subject == "session:old"), Redis.from_url(redis_url) as redis:
        assert copy_revocations() == 1
        assert redis.hkeys("holdfast:test:revoked") == [b"session:new"]


def test_an_owner_whose_row_is_locked_keeps_no_other_user_from_a_post(
    core: Flask, database_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    one, other = a_chat(a_user()), a_chat(a_user())
    with held(database_url, users, users.c.id == one.owner_id):
        assert a_post(other).reply.status == "pending"
    assert NO_WAIT not in caplog.text
