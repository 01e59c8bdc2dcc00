"""The sweeper keeps Redis's copy of the revocations, and forgets each in time. Also `holdfast disable` and `enable`."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from typing import Any

import pytest
from flask import Flask
from redis import Redis
from sqlalchemy import insert, select, update

from shared.actions.accounts.delete import delete_account
from shared.actions.accounts.disable import disable_account, enable_account
from shared.actions.accounts.sign_ins import begin_sign_in, end_sign_in
from shared.actions.replies.claim import claim_reply
from shared.actions.replies.rescue import expire_overdue
from shared.core import current_link
from shared.database.units import execute, query, write_unit
from shared.models import ChatSession, User
from shared.models.revocation import revocations
from shared.models.user import users
from shared.redis.revocations import LEEWAY, of_session, of_user, read_revocations
from shared.settings import Settings
from tests.factories import (
    a_post,
    a_user,
    change,
    money_of,
    nothing_changes,
    on_sqlite_only,
    past,
    the_message,
    the_user,
)
from tests.services.programs import ROOT
from workers.sweeper import sweep

HASH = "holdfast:test:revoked"
QUEUE = "holdfast:test:queue:replies"


@pytest.fixture
def redis(settings: Settings) -> Iterator[Redis]:
    with Redis.from_url(settings.redis_url, decode_responses=True) as redis:
        yield redis


def rows() -> dict[str, int]:
    return {row.subject: row.void_until for row in query(select(revocations))}


def copied(redis: Redis) -> dict[str, int]:
    return {field: int(until) for field, until in redis.hgetall(HASH).items()}


def revoked(subject: str, ago: float) -> None:
    """Add a revocation whose last void second was `ago` seconds ago."""
    with write_unit():
        execute(insert(revocations), {"subject": subject, "void_until": int(time.time() - ago)})


def test_what_is_revoked_stands_in_redis_at_once(core: Flask, user: User, redis: Redis) -> None:
    session_id = begin_sign_in(user.id)
    end_sign_in(session_id, user.id)
    disable_account(user.id)
    assert copied(redis) == rows()
    assert rows().keys() == {of_session(session_id), of_user(user.id)}
    assert all(0 <= until - time.time() - LEEWAY + 5 <= 5 for until in rows().values())


def test_a_sweep_writes_again_what_redis_lost(core: Flask, user: User, redis: Redis) -> None:
    disable_account(user.id)
    end_sign_in(begin_sign_in(other := a_user().id), other)
    redis.flushall()
    sweep()
    assert copied(redis) == rows()
    enable_account(user.id)
    redis.hset(HASH, of_user(user.id), int(time.time()) + 100)  # as if Redis had been away at that moment
    sweep()
    assert copied(redis) == rows()
    assert rows()[of_user(user.id)] < time.time()


def test_a_sweep_with_nothing_new_writes_nothing(core: Flask, user: User, redis: Redis) -> None:
    disable_account(user.id)
    sweep()
    with nothing_changes():
        before = redis.info("commandstats")["cmdstat_hset"]["calls"]
        sweep()
        assert redis.info("commandstats")["cmdstat_hset"]["calls"] == before


def test_it_is_forgotten_once_no_token_that_it_means_can_live(core: Flask, settings: Settings, redis: Redis) -> None:
    life = settings.access_token_seconds + LEEWAY
    revoked("session:old", life + 5)
    revoked("session:young", life - 30)
    redis.hset(HASH, mapping={"session:old": int(time.time()) - life - 5, "user:lost row": int(time.time()) - life - 5})
    redis.hset(HASH, "session:told just now", int(time.time()))  # its row was committed after the sweep's reading
    sweep()
    assert rows().keys() == {"session:young"}
    assert copied(redis).keys() == {"session:young", "session:told just now"}


def test_what_strangers_write_into_the_copy_stops_nobody(core: Flask, user: User, redis: Redis) -> None:
    redis.hset(HASH, mapping={"session:x": "no number", b"\xff": "7"})  # type: ignore[dict-item]
    disable_account(user.id)
    redis.hset(HASH, of_user(user.id), "-1e9")
    sweep()
    assert (read_revocations(current_link()) or {})[of_user(user.id)] == rows()[of_user(user.id)]


def test_a_number_that_is_too_long_to_read_is_overlooked(core: Flask, user: User, redis: Redis) -> None:
    disable_account(user.id)
    redis.hset(HASH, mapping={of_user(user.id): "9" * 5_000, "session:x": "9" * 12})
    assert sweep()
    assert read_revocations(current_link()) == rows()


def test_a_sweep_puts_the_copy_where_another_type_of_value_was(core: Flask, user: User, redis: Redis) -> None:
    redis.set(HASH, "of another type")
    disable_account(user.id)
    assert read_revocations(current_link()) is None
    assert sweep()
    assert copied(redis) == rows()
    with nothing_changes():
        assert sweep()


def test_enabling_again_signs_nobody_out_who_came_back_in_between(core: Flask, user: User, redis: Redis) -> None:
    revoked(of_user(user.id), ago=10)  # disabled, and enabled nine seconds ago
    before = rows()
    enable_account(user.id)
    assert rows() == before
    assert copied(redis) == {}


def test_what_waits_for_a_disabled_user_is_not_begun_and_ends_in_time(chat: ChatSession) -> None:
    posted = a_post(chat)
    disable_account(chat.owner_id)
    with nothing_changes():
        assert claim_reply(posted.reply.id, "a worker") is None
    change(posted.reply.id, deadline_at=past(0.1))
    assert expire_overdue() == 1
    assert the_message(posted.reply.id).status == "failed"
    assert money_of(chat.owner_id) == (300, 0)


def test_what_waited_is_begun_when_the_user_is_enabled(chat: ChatSession) -> None:
    posted = a_post(chat)
    disable_account(chat.owner_id)
    enable_account(chat.owner_id)
    assert claim_reply(posted.reply.id, "a worker")


@pytest.fixture
def overlooked(chat: ChatSession, redis: Redis) -> str:
    """A reply of a disabled user. Workers have let go of the reply so often that the sweeper has much patience."""
    sweep()
    reply_id = a_post(chat).reply.id
    disable_account(chat.owner_id)
    change(reply_id, dispatched_at=past(300), handovers=6, hand_over_at=past(-970))
    redis.delete(QUEUE, f"{QUEUE}.msgs")
    assert jobs_after_a_sweep(redis) == []
    return reply_id


def jobs(redis: Redis) -> list[Any]:
    return [job["args"][0] for job in map(json.loads, redis.hvals(f"{QUEUE}.msgs"))]


def jobs_after_a_sweep(redis: Redis) -> list[Any]:
    sweep()
    return jobs(redis)


def test_what_waited_is_handed_over_when_the_user_is_enabled(overlooked: str, chat: ChatSession, redis: Redis) -> None:
    enable_account(chat.owner_id)
    assert jobs(redis) == [overlooked]


def test_what_waited_is_handed_over_by_the_next_sweep_if_redis_missed_it(
    overlooked: str, chat: ChatSession, redis: Redis
) -> None:
    enable_account(chat.owner_id)
    redis.delete(QUEUE, f"{QUEUE}.msgs")
    assert jobs_after_a_sweep(redis) == [overlooked]


def holdfast(*words: str, without: tuple[str, ...] = ("SECRET_KEY",)) -> Any:
    env = {name: value for name, value in os.environ.items() if name not in without}
    command = [sys.executable, "-m", "shared.command.cli", *words]
    return subprocess.run(command, env=env, capture_output=True, text=True, check=False, cwd=ROOT)


def with_email(user: User, email: str) -> User:
    with write_unit():
        execute(update(users).where(users.c.id == user.id).values(email=email))
    return user


def test_the_commands_disable_and_enable_by_email(core: Flask, user: User, redis: Redis) -> None:
    with_email(user, "ada@example.org")
    done = holdfast("disable", " Ada@Example.ORG")
    assert done.returncode == 0, done.stderr
    assert "is disabled" in done.stdout
    assert the_user(user.id).disabled_at
    assert copied(redis) == rows()
    done = holdfast("enable", "ada@example.org")
    assert done.returncode == 0, done.stderr
    assert "is enabled" in done.stdout
    assert the_user(user.id).disabled_at is None


def test_the_command_needs_no_redis(settings: Settings, core: Flask, user: User) -> None:
    with_email(user, "ada@example.org")
    done = holdfast("disable", "ada@example.org", without=("SECRET_KEY", "REDIS_URL"))
    assert done.returncode == 0, done.stderr
    assert rows().keys() == {of_user(user.id)}


@on_sqlite_only
@pytest.mark.parametrize("command", ["disable", "enable"])
@pytest.mark.parametrize("email", ["nobody@example.org", "no email at all"])
def test_an_unknown_email_changes_nothing_and_is_named(core: Flask, user: User, command: str, email: str) -> None:
    with nothing_changes():
        done = holdfast(command, email)
    assert (done.returncode, done.stderr) == (1, f"Error: No account has the email {email}.\n")
    assert done.stdout == ""


def test_a_deleted_account_has_no_email_to_disable_it_by(core: Flask, user: User) -> None:
    delete_account(user.id)
    with nothing_changes():
        assert holdfast("disable", user.id).returncode == 1
