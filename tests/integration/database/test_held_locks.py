"""Somebody holds a lock. A unit that waits for the lock begins anew, and gets it or answers 503."""

from threading import Thread
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import text

from shared.models import ChatSession, User
from tests.eventually import eventually, joined
from tests.factories import a_chat, a_claim, a_post, change, meanwhile, money_of, past, signed_in, the_message
from workers.sweeper import sweep

pytestmark = pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)


def test_the_victim_of_a_real_deadlock_has_its_way_at_last(core: Flask, operator: Any, chat: ChatSession) -> None:
    with operator.engine.connect() as other:
        other.execute(text("BEGIN; SET LOCAL deadlock_timeout = '30s'"))  # so that this one is never the victim
        other.execute(text("SELECT 1 FROM chat_sessions WHERE id = :id FOR UPDATE"), {"id": chat.id})
        done: list[Any] = []

        def post() -> None:
            with core.app_context():
                done.append(a_post(chat))

        posting = Thread(target=post)
        posting.start()
        eventually(lambda: operator.execute(text("SELECT 1 FROM pg_locks WHERE NOT granted")).first())
        other.execute(text("SELECT 1 FROM users WHERE id = :id FOR UPDATE"), {"id": chat.owner_id})
        other.execute(text("COMMIT"))
        joined(posting, within=20)
    assert the_message(done[0].reply.id).status == "pending"
    assert money_of(chat.owner_id) == (297, 3)


def test_who_waits_for_a_lock_begins_anew_and_has_it_at_last(
    core: Flask, operator: Any, chat: ChatSession, caplog: pytest.LogCaptureFixture
) -> None:
    operator.execute(text("BEGIN"))
    operator.execute(text("SELECT 1 FROM users WHERE id = :id FOR UPDATE"), {"id": chat.owner_id})
    with meanwhile(core, lambda: a_post(chat)) as posting:
        eventually(lambda: "unit.repeated: LockNotAvailable" in caplog.text)
        operator.execute(text("ROLLBACK"))
        posted = posting.result(10)
    assert the_message(posted.reply.id).status == "pending"
    assert money_of(chat.owner_id) == (297, 3)


def test_a_lock_that_is_held_too_long_answers_503(operator: Any, app: Flask, user: User, chat: ChatSession) -> None:
    operator.execute(text("BEGIN"))
    operator.execute(text("SELECT 1 FROM users WHERE id = :id FOR UPDATE"), {"id": user.id})
    answer = signed_in(app, user).post(f"/chats/{chat.id}/messages", json={"content": "Hello"})
    operator.execute(text("ROLLBACK"))
    assert (answer.status_code, answer.json["code"], answer.headers["Retry-After"]) == (
        503,
        "database_unavailable",
        "2",
    )
    assert money_of(user.id) == (300, 0)


def test_a_sweep_leaves_whom_somebody_holds_and_goes_on_with_all_others(
    operator: Any, user: User, caplog: pytest.LogCaptureFixture
) -> None:
    others = [a_claim(a_post()) for _ in range(4)]
    theirs = [a_claim(a_post(a_chat(user))) for _ in range(2)]
    for claim in others + theirs:
        change(claim.id, lease_until=past(1))
    operator.execute(text("BEGIN"))
    operator.execute(text("SELECT 1 FROM users WHERE id = :id FOR UPDATE"), {"id": user.id})
    assert sweep(), "the database was there, so that leases are looked after in the next sweep too"
    operator.execute(text("ROLLBACK"))
    assert {the_message(claim.id).status for claim in others} == {"pending"}
    assert {the_message(claim.id).status for claim in theirs} == {"running"}
    assert caplog.text.count("sweeper.row_held") == 1, "they are waited for once a sweep"
    sweep()
    assert {the_message(claim.id).status for claim in theirs} == {"pending"}
