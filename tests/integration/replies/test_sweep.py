"""A sweep brings back the replies of dead workers. It ends replies that wait for too long."""

from typing import Any

import pytest
from flask import Flask
from redis import Redis

from shared.actions.messages.accept import Posted
from shared.actions.replies.release import give_back
from shared.actions.replies.rescue import expire_overdue, rescue_lapsed
from shared.models import ChatSession, User
from tests.channel import Channel
from tests.factories import (
    a_chat,
    a_claim,
    a_post,
    at_once,
    change,
    money_of,
    nothing_changes,
    on_sqlite_only,
    past,
    the_message,
    the_user,
)
from tests.integration.replies.jobs import jobs
from workers import sweeper
from workers.reply import Desk, write_reply
from workers.sweeper import sweep


@on_sqlite_only
def test_a_step_that_fails_in_any_way_stops_no_other(
    posted: Posted, redis: Redis, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def rescue_lapsed() -> None:
        raise ValueError("of a kind that nobody thought of")

    monkeypatch.setattr(sweeper, "rescue_lapsed", rescue_lapsed)
    redis.flushall()
    assert sweep()  # the sweep reached the database
    assert len(jobs(redis)) == 1
    (record,) = [
        record for record in caplog.records if record.message == "sweeper.rescue_lapsed_failed: the other steps go on"
    ]
    assert record.exc_info


def test_a_reply_of_a_dead_worker_runs_again(posted: Posted, desk: Desk, channel: Channel) -> None:
    first = a_claim(posted)
    change(first.id, lease_until=past(0.1), content="Half", live_index=1)
    assert rescue_lapsed() == 1
    row = the_message(first.id)
    assert (row.status, row.failures, row.attempt) == ("pending", 1, 1)
    assert row.dispatched_at
    write_reply(first.id, desk)
    row = the_message(first.id)
    assert (row.status, row.attempt, row.failures) == ("completed", 2, 1)
    assert "Half" not in row.content
    assert [event.data["attempt"] for event in channel.named("message.started")] == [1, 2]


def test_the_second_time_it_fails_and_the_credits_return(posted: Posted, user: User, channel: Channel) -> None:
    change(a_claim(posted).id, lease_until=past(0.1), failures=1, content="Half", live_index=1)
    before = the_user(user.id).seq
    assert rescue_lapsed() == 1
    row = the_message(posted.reply.id)
    assert (row.status, row.error_code, row.message_type) == ("failed", "worker_lost", "ai_error")
    assert (row.content, row.lease_until) == ("Half", None)
    assert money_of(user.id) == (300, 0)
    failed, parked, credits_changed = channel.heard()[-3:]
    assert (failed.name, failed.data["seq"], failed.data["nextIndex"]) == ("message.failed", before + 1, 1)
    assert (parked.name, parked.data["parked"]) == ("chat.updated", True)
    assert (credits_changed.name, credits_changed.data["balance"]) == ("credits.changed", 300)


def test_a_reply_whose_worker_lives_is_left_alone(posted: Posted) -> None:
    change(a_claim(posted).id, lease_until=past(-10))
    with nothing_changes():
        assert rescue_lapsed() == 0


def test_a_lease_renewed_while_the_sweeper_looks_is_left_alone(posted: Posted, monkeypatch: pytest.MonkeyPatch) -> None:
    claim = a_claim(posted)
    change(claim.id, lease_until=past(1))

    def renewed_first(*args: Any) -> bool:
        change(claim.id, lease_until=past(-3))
        return give_back(*args)

    monkeypatch.setattr("shared.actions.replies.rescue.give_back", renewed_first)
    assert rescue_lapsed() == 0
    assert the_message(claim.id).status == "running"


def test_what_nobody_took_in_time_fails_with_the_credits_back(posted: Posted, user: User, channel: Channel) -> None:
    change(posted.reply.id, deadline_at=past(0.1))
    assert expire_overdue() == 1
    row = the_message(posted.reply.id)
    assert (row.status, row.error_code, row.content) == ("failed", "reply_timeout", "")
    assert money_of(user.id) == (300, 0)
    assert channel.names()[-3:] == ["message.failed", "chat.updated", "credits.changed"]


def test_what_is_in_time_is_left_alone(posted: Posted, user: User) -> None:
    a_post(a_chat(user))
    change(posted.reply.id, deadline_at=past(-5))
    with nothing_changes():
        assert expire_overdue() == 0


def test_an_overdue_reply_that_runs_is_its_workers(posted: Posted) -> None:
    change(a_claim(posted).id, deadline_at=past(5))
    with nothing_changes():
        assert expire_overdue() == 0


def test_many_sweeps_at_once_do_each_thing_once(core: Flask, user: User, redis: Redis, channel: Channel) -> None:
    sweep()
    lapsed, lost, overdue = (a_post(a_chat(person)) for person in (user, user, None))
    change(a_claim(lapsed).id, lease_until=past(1))
    change(a_claim(lost).id, lease_until=past(1), failures=1)
    change(overdue.reply.id, deadline_at=past(1))
    channel.forget()
    at_once(core, *[sweep] * 4)
    found = [the_message(posted.reply.id) for posted in (lapsed, lost, overdue)]
    assert [(row.status, row.failures) for row in found] == [("pending", 1), ("failed", 2), ("failed", 1)]
    assert channel.names().count("message.failed") == 2
    assert channel.names().count("credits.changed") == 2


def test_a_sweep_with_nothing_to_do_changes_nothing(chat: ChatSession) -> None:
    sweep()
    with nothing_changes():
        sweep()


def test_what_never_had_its_turn_is_cancelled_with_the_credits_back(chat: ChatSession, channel: Channel) -> None:
    first, waiting = a_post(chat), a_post(chat)
    a_claim(first)
    change(waiting.reply.id, deadline_at=past(1))
    channel.heard()
    expire_overdue()
    row = the_message(waiting.reply.id)
    assert (row.status, row.message_type, row.error_code, row.credits_charged) == ("cancelled", "ai_report", None, 0)
    assert money_of(chat.owner_id) == (297, 3)
    assert channel.named("message.cancelled")[-1].data["id"] == waiting.reply.id
