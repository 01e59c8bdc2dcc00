"""A sweeper was away for long. Its steps are bounded, no user starves, and several sweepers do each thing once."""

from collections import Counter
from collections.abc import Iterator
from contextlib import AbstractContextManager
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from redis import Redis
from sqlalchemy import case, create_engine, func, select, update
from sqlalchemy.pool import NullPool

from shared.actions.owner_unit import OwnerUnit, owner_unit
from shared.actions.queue.hand_over_again import BATCH as HAND_OVERS
from shared.actions.queue.hand_over_again import hand_over_again
from shared.actions.replies.release import give_back
from shared.actions.replies.rescue import BATCH, expire_overdue, fail_hung, give_turns, rescue_lapsed
from shared.actions.upkeep.forget_keys import forget_keys
from shared.database.clock import utc_now
from shared.database.units import execute, query, write_unit
from shared.models import ChatSession, User
from shared.models.chat import chat_sessions
from shared.models.credits import credit_entries
from shared.models.idempotency import idempotency_keys
from shared.models.message import has_status, messages
from shared.models.status import Status
from shared.settings import Settings
from tests.backlog import add_backlog
from tests.channel import Channel
from tests.factories import (
    a_chat,
    a_claim,
    a_post,
    at_once,
    change,
    clock,
    money_of,
    nothing_changes,
    past,
    the_message,
)
from workers.sweeper import sweep

WAITING = 1_200
WITH_A_TURN = WAITING // 2


@pytest.fixture
def redis(settings: Settings) -> Iterator[Redis]:
    with Redis.from_url(settings.redis_url, decode_responses=True) as redis:
        yield redis


@pytest.fixture
def backlog(core: Flask) -> None:
    with write_unit() as unit:
        add_backlog(unit, WAITING)


@pytest.fixture(autouse=True)
def no_marker_is_missing(request: pytest.FixtureRequest) -> None:
    if "core" in request.fixturenames:
        request.getfixturevalue("core")
        hand_over_again()


def queued(redis: Redis) -> int:
    return int(redis.llen("holdfast:test:queue:replies"))


def age_all(**columns: Any) -> None:
    with write_unit():
        execute(update(messages).values(**columns))


def age_those_with_a_turn(**columns: Any) -> None:
    with write_unit():
        execute(update(messages).where(messages.c.dispatched_at > 0).values(**columns))


def states() -> dict[tuple[str, str | None], int]:
    kinds = select(messages.c.status, messages.c.error_code, func.count().label("count"))
    found = query(kinds.group_by(messages.c.status, messages.c.error_code))
    return {(row.status, row.error_code): row.count for row in found}


@pytest.mark.usefixtures("backlog")
def test_an_emptied_redis_is_filled_in_bounded_steps_each_reply_once(core: Flask, redis: Redis) -> None:
    redis.flushall()
    assert hand_over_again() == HAND_OVERS
    assert queued(redis) == HAND_OVERS
    for _ in range(3):
        at_once(core, hand_over_again, hand_over_again, hand_over_again)
    assert queued(redis) == redis.hlen("holdfast:test:queue:replies.msgs") == WITH_A_TURN
    assert {row.handovers for row in query(select(messages.c.handovers).where(messages.c.dispatched_at > 0))} == {6}
    assert hand_over_again() == 0


@pytest.mark.usefixtures("backlog")
def test_what_was_overlooked_is_handed_over_in_bounded_steps_each_once(core: Flask, redis: Redis) -> None:
    age_those_with_a_turn(dispatched_at=past(15), handovers=0, hand_over_at=past(1))
    assert hand_over_again() == HAND_OVERS
    for _ in range(3):
        at_once(core, hand_over_again, hand_over_again, hand_over_again)
    assert queued(redis) == WITH_A_TURN
    assert {row.handovers for row in query(select(messages.c.handovers).where(messages.c.dispatched_at > 0))} == {1}


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_a_reply_that_somebody_holds_keeps_no_other_waiting(
    chat: ChatSession, user: User, redis: Redis, database_url: str
) -> None:
    held, other = a_post(chat).reply.id, a_post(a_chat(user)).reply.id
    redis.flushall()
    hand_over_again()
    age_all(dispatched_at=past(60), handovers=0, hand_over_at=past(1))
    somebody = create_engine(database_url, poolclass=NullPool)
    with somebody.begin() as unit:
        unit.execute(select(messages.c.id).where(messages.c.id == held).with_for_update())
        hand_over_again()
    assert (the_message(held).handovers, the_message(other).handovers) == (0, 1)


@pytest.mark.usefixtures("backlog")
def test_nobody_is_locked_to_be_given_nothing(chat: ChatSession, monkeypatch: pytest.MonkeyPatch) -> None:
    locked: list[str] = []

    def note(user_id: str) -> AbstractContextManager[OwnerUnit]:
        locked.append(user_id)
        return owner_unit(user_id)

    monkeypatch.setattr("shared.actions.replies.rescue.owner_unit", note)
    # Given a free turn, but a chat whose first reply has one already, and other users without a free turn
    a_post(chat)
    a_post(chat)
    assert (give_turns(), locked) == (0, [])
    # or a back-off
    age_all(dispatched_at=None, not_before=past(-60))
    assert (give_turns(), locked) == (0, [])
    # or parked chats
    age_all(not_before=None)
    with write_unit():
        execute(update(chat_sessions).values(parked_at=utc_now()))
    assert (give_turns(), locked) == (0, [])
    with write_unit():
        execute(update(chat_sessions).where(chat_sessions.c.id == chat.id).values(parked_at=None))
    assert (give_turns(), locked) == (1, [chat.owner_id])


@pytest.mark.usefixtures("backlog")
def test_turns_that_nobody_gave_are_given_in_bounded_steps(redis: Redis) -> None:
    age_all(dispatched_at=None)
    assert give_turns() == 2 * BATCH
    assert give_turns() == 2 * BATCH
    assert queued(redis) == 4 * BATCH


@pytest.mark.usefixtures("backlog")
def test_fresh_expired_and_worn_out_replies_are_left_run_again_and_failed(core: Flask, redis: Redis) -> None:
    """Credits return in the same moment, so the money adds up after each step."""
    fate = messages.c.seq % 3
    age_those_with_a_turn(
        status=Status.RUNNING,
        attempt=1,
        lease_until=case((fate == 0, past(-60)), else_=past(1)),
        failures=case((fate == 1, 1), else_=0),
    )
    live = query(select(messages.c.id).where(has_status(Status.RUNNING), messages.c.lease_until > clock()))
    assert rescue_lapsed() == BATCH
    for _ in range(2 * WITH_A_TURN // 3 // BATCH + 1):
        at_once(core, rescue_lapsed, rescue_lapsed)
    assert rescue_lapsed() == 0
    third_of_them = WITH_A_TURN // 3
    found = states()
    assert found["failed", "worker_lost"] == third_of_them
    assert found["running", None] == len(live) == third_of_them
    assert found["pending", None] == WAITING - 2 * third_of_them
    assert Counter(row.kind for row in query(select(credit_entries.c.kind)))["release"] == third_of_them


@pytest.mark.usefixtures("backlog")
def test_a_fresh_message_goes_through_while_a_backlog_drains(chat: ChatSession, redis: Redis) -> None:
    age_all(deadline_at=past(1))
    posted = a_post(chat)
    sweep()
    found = states()
    # the end of one gives another its turn with a new deadline, so that one is no longer overdue
    assert BATCH / 2 < found["failed", "reply_timeout"] + found["cancelled", None] <= BATCH
    assert the_message(posted.reply.id).status == "pending"
    assert a_claim(posted)


@pytest.mark.usefixtures("backlog")
def test_many_sweepers_drain_a_backlog_and_release_each_hold_once(core: Flask) -> None:
    age_all(deadline_at=past(1))
    ended = 0
    while done := sum(at_once(core, expire_overdue, expire_overdue, expire_overdue)):
        ended += done
    found = states()
    assert ended == found["failed", "reply_timeout"] + found["cancelled", None] > WITH_A_TURN
    assert Counter(row.kind for row in query(select(credit_entries.c.kind)))["release"] == ended


def test_a_worker_that_hangs_but_renews_loses_its_reply(chat: ChatSession, user: User, channel: Channel) -> None:
    claim = a_claim(a_post(chat))
    change(claim.id, deadline_at=past(61), content="Half", live_index=1)
    channel.forget()
    assert fail_hung() == 1
    row = the_message(claim.id)
    assert (row.status, row.error_code, row.content) == ("failed", "reply_timeout", "Half")
    assert money_of(user.id) == (300, 0)
    assert channel.names() == ["message.failed", "chat.updated", "credits.changed"]
    assert fail_hung() == 0


def test_a_worker_is_given_time_to_end_an_overdue_reply_itself(chat: ChatSession) -> None:
    change(a_claim(a_post(chat)).id, deadline_at=past(55))
    with nothing_changes():
        assert fail_hung() == 0


def test_a_reply_that_cannot_be_ended_keeps_no_other_waiting(user: User, monkeypatch: pytest.MonkeyPatch) -> None:
    claims = [a_claim(a_post(a_chat(user))) for _ in range(2)]
    for claim in claims:
        change(claim.id, lease_until=past(1))

    def broken(claim: Any, *rest: Any) -> bool:
        if claim.id == claims[0].id:
            raise KeyError(claim.id)
        return give_back(claim, *rest)

    monkeypatch.setattr("shared.actions.replies.rescue.give_back", broken)
    assert rescue_lapsed() == 1
    assert [the_message(claim.id).status for claim in claims] == ["running", "pending"]


def test_a_key_may_be_used_for_something_else_after_a_day(me: FlaskClient, chat: ChatSession) -> None:
    path, keyed = f"/chats/{chat.id}/messages", {"Idempotency-Key": "k"}
    first = me.post(path, json={"content": "Hello"}, headers=keyed).json
    age_keys(hours=23.9)
    assert forget_keys() == 0
    assert me.post(path, json={"content": "Hello"}, headers=keyed).json["reply"]["id"] == first["reply"]["id"]
    age_keys(hours=24.1)
    assert forget_keys() == 1
    second = me.post(path, json={"content": "Something else"}, headers=keyed)
    assert second.status_code == 202
    assert second.json["reply"]["id"] != first["reply"]["id"]


def age_keys(hours: float) -> None:
    with write_unit():
        execute(update(idempotency_keys).values(created_at=utc_now() - timedelta(hours=hours)))
