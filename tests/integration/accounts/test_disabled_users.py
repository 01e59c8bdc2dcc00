"""Replies of a disabled user wait or end. `holdfast disable` and `enable` find an account by its email."""

import json
from typing import Any

import pytest
from flask import Flask
from redis import Redis
from sqlalchemy import update

from shared.actions.accounts.delete import delete_account
from shared.actions.accounts.disable import disable_account, enable_account
from shared.actions.replies.claim import claim_reply
from shared.actions.replies.rescue import expire_overdue
from shared.database.units import execute, write_unit
from shared.models import ChatSession, User
from shared.models.user import users
from shared.redis.revocations import of_user
from tests.factories import a_post, change, money_of, nothing_changes, on_sqlite_only, past, the_message, the_user
from tests.integration.accounts.stored import copied, rows
from tests.run.holdfast import Run
from workers.sweeper import sweep

QUEUE = "holdfast:test:queue:replies"


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
    change(reply_id, dispatched_at=past(300), handovers=6, hand_over_at=past(-600))
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


def with_email(user: User, email: str) -> User:
    with write_unit():
        execute(update(users).where(users.c.id == user.id).values(email=email))
    return user


def test_the_commands_disable_and_enable_by_email(core: Flask, user: User, redis: Redis, holdfast: Run) -> None:
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


def test_the_command_needs_no_redis(core: Flask, user: User, holdfast: Run) -> None:
    with_email(user, "ada@example.org")
    done = holdfast("disable", "ada@example.org", without=("REDIS_URL",))
    assert done.returncode == 0, done.stderr
    assert rows().keys() == {of_user(user.id)}


@on_sqlite_only
@pytest.mark.parametrize("command", ["disable", "enable"])
@pytest.mark.parametrize("email", ["nobody@example.org", "no email at all"])
def test_an_unknown_email_changes_nothing_and_is_named(
    core: Flask, user: User, holdfast: Run, command: str, email: str
) -> None:
    with nothing_changes():
        done = holdfast(command, email)
    assert (done.returncode, done.stderr) == (1, f"Error: No account has the email {email}.\n")
    assert done.stdout == ""


def test_a_deleted_account_has_no_email_to_disable_it_by(core: Flask, user: User, holdfast: Run) -> None:
    delete_account(user.id)
    with nothing_changes():
        assert holdfast("disable", user.id).returncode == 1
