"""A worker put a reply aside because its user's other reply ran. When that one ends, the reply is handed over at once.

`tests/edge/limits/test_fair_turns.py` has the endings by a worker, which hands over itself.
"""

import json
from collections.abc import Callable

import pytest
from redis import Redis

from shared.actions.chats.delete import delete_chat
from shared.actions.messages.accept import Posted
from shared.actions.messages.delete import delete_message
from shared.actions.replies.rescue import expire_overdue, fail_hung, rescue_lapsed
from shared.actions.replies.stop import stop_reply
from shared.models import User
from tests.factories import a_chat, a_claim, a_post, change, past, the_message
from tests.integration.replies.jobs import jobs

A_DAY = 86_400


def _rescue(posted: Posted) -> None:
    change(posted.reply.id, lease_until=past(0.1), failures=1)
    assert rescue_lapsed() == 1


def _fail_hung(posted: Posted) -> None:
    change(posted.reply.id, deadline_at=past(A_DAY))
    assert fail_hung() == 1


def _expire(posted: Posted) -> None:
    change(posted.reply.id, status="pending", deadline_at=past(0.1))
    assert expire_overdue() == 1


ENDINGS: dict[str, Callable[[Posted], object]] = {
    "its worker died once too often": _rescue,
    "its worker hangs": _fail_hung,
    "no worker took it in time": _expire,
    "stopped": lambda it: stop_reply(it.reply.owner_id, it.reply.chat_session_id, it.reply.id),
    "message deleted": lambda it: delete_message(it.reply.owner_id, it.reply.chat_session_id, it.message.id),
    "chat deleted": lambda it: delete_chat(it.reply.owner_id, it.reply.chat_session_id),
}


@pytest.mark.parametrize("how", ENDINGS)
def test_a_reply_that_was_put_aside_is_handed_over_when_the_other_one_ends(how: str, user: User, redis: Redis) -> None:
    running, aside = a_post(a_chat(user)), a_post(a_chat(user))
    a_claim(running)
    assert the_message(aside.reply.id).dispatched_at
    redis.flushall()
    ENDINGS[how](running)
    assert [json.loads(job)["args"] for job in jobs(redis)] == [[aside.reply.id]]


@pytest.mark.settings(max_active_replies=3)
def test_it_goes_on_waiting_for_room_while_a_third_one_runs(user: User, redis: Redis) -> None:
    first, second, _ = (a_post(a_chat(user)) for _ in range(3))
    a_claim(first)
    a_claim(second)
    redis.flushall()
    _fail_hung(first)
    assert jobs(redis) == []
