"""A sweeper was away for long. Its steps are bounded, no user starves, and several sweepers do each thing once."""

from collections import Counter
from contextlib import AbstractContextManager
from typing import Any

import pytest
from flask import Flask
from redis import Redis
from sqlalchemy import case, func, select, update

from shared.actions.owner_unit import OwnerUnit, owner_unit
from shared.actions.queue.hand_over_again import BATCH as HAND_OVERS
from shared.actions.queue.hand_over_again import hand_over_again
from shared.actions.replies.rescue import BATCH, expire_overdue, give_turns, rescue_lapsed
from shared.database.clock import utc_now
from shared.database.units import execute, query, write_unit
from shared.models import ChatSession
from shared.models.chat import chat_sessions
from shared.models.credits import credit_entries
from shared.models.message import has_status, messages
from shared.models.status import Status
from tests.backlog import add_backlog
from tests.factories import a_claim, a_post, at_once, clock, past, the_message
from tests.integration.queue.ages import age_all
from workers.sweeper import sweep

WAITING = 1_200
WITH_A_TURN = WAITING // 2


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
