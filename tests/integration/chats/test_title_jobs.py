"""The first completed replies of an untitled chat ask for a title, by a job on a queue of its own."""

import json
from typing import Any

import pytest
from redis import Redis

from shared.actions.chats.change import change_chat
from shared.actions.queue.hand_over import queue_is_empty
from shared.actions.replies.finish import Answer, Superseded, complete_reply, fail_reply
from shared.actions.replies.release import give_back
from shared.actions.replies.stop import stop_reply
from shared.errors.replies import ModelRejected
from shared.models import ChatSession
from shared.settings import Settings
from tests.channel import Channel
from tests.factories import a_claim, a_post, on_sqlite_only, the_chat

pytestmark = pytest.mark.settings(title_model="")


@pytest.fixture
def jobs(redis: Redis, settings: Settings) -> Any:
    """A function that tells the ids on the queue of titles."""
    key = f"{settings.namespace}:queue:titles"

    def read() -> list[str]:
        names = redis.lrange(key, 0, -1)
        found = [json.loads(redis.hget(f"{key}.msgs", name) or "") for name in names]  # type: ignore[union-attr]
        assert {job["actor_name"] for job in found} <= {"write_title"}
        return [job["args"][0] for job in found]

    return read


def complete(chat: ChatSession) -> None:
    complete_reply(a_claim(a_post(chat)), Answer("Yes", finish_reason="stop"))


def test_the_first_three_completed_replies_ask_while_the_chat_has_no_title(chat: ChatSession, jobs: Any) -> None:
    fail_reply(a_claim(a_post(chat)), ModelRejected(), Answer("Half"))
    assert jobs() == []
    for asked in (1, 2, 3, 3, 3):
        complete(chat)
        assert jobs() == [chat.id] * asked
    assert the_chat(chat.id).title == "New chat"


def test_a_chat_with_a_title_asks_for_none(chat: ChatSession, jobs: Any) -> None:
    change_chat(chat.owner_id, chat.id, "Mine")
    complete(chat)
    assert jobs() == []


@on_sqlite_only
@pytest.mark.settings(title_model="off")
def test_nothing_asks_where_titles_are_switched_off(chat: ChatSession, jobs: Any) -> None:
    complete(chat)
    assert jobs() == []


@on_sqlite_only
def test_a_reply_that_ends_in_another_way_asks_for_none(chat: ChatSession, jobs: Any) -> None:
    stopped = a_post(chat)
    a_claim(stopped)
    stop_reply(chat.owner_id, chat.id, stopped.reply.id)
    claim = a_claim(a_post(chat))
    give_back(claim, 0)
    with pytest.raises(Superseded):
        complete_reply(claim, Answer("Too late", finish_reason="stop"))
    assert jobs() == []


@on_sqlite_only
def test_the_job_comes_after_the_end_of_the_reply_was_told(chat: ChatSession, jobs: Any, channel: Channel) -> None:
    complete(chat)
    assert "message.completed" in channel.names()
    assert jobs() == [chat.id]
    assert queue_is_empty() is False  # the reply's own job still lies there


@on_sqlite_only
def test_waiting_titles_do_not_hide_from_the_sweeper_that_no_reply_waits(
    chat: ChatSession, jobs: Any, redis: Redis, settings: Settings
) -> None:
    complete(chat)
    redis.delete(f"{settings.namespace}:queue:replies")
    assert jobs() == [chat.id]
    assert queue_is_empty()
