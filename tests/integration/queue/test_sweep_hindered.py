"""Somebody holds a reply, its worker hangs, or it cannot be ended. The sweeper goes on with the others."""

from typing import Any

import pytest
from redis import Redis
from sqlalchemy import create_engine, select
from sqlalchemy.pool import NullPool

from shared.actions.queue.hand_over_again import hand_over_again
from shared.actions.replies.release import give_back
from shared.actions.replies.rescue import fail_hung, rescue_lapsed
from shared.models import ChatSession, User
from shared.models.message import messages
from tests.channel import Channel
from tests.factories import a_chat, a_claim, a_post, change, money_of, nothing_changes, past, the_message
from tests.integration.queue.ages import age_all


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
