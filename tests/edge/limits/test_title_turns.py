"""Titles come last: they take a quarter of a worker's threads at most, and no reply waits for them."""

from collections.abc import Iterator

import pytest
from dramatiq import Worker
from flask import Flask

from shared.actions.replies.finish import Answer, complete_reply
from shared.redis.broker import ReplyBroker
from shared.redis.queues import TITLES
from shared.settings import Settings
from tests.eventually import eventually
from tests.factories import a_claim, a_post, on_sqlite_only, the_chat, the_message
from tests.fake_model import FakeModel
from workers.main import create_worker

pytestmark = [on_sqlite_only, pytest.mark.settings(title_model="")]

THREADS, CHATS = 8, 5


@pytest.fixture
def untitled(core: Flask) -> list[str]:
    """Chats whose first reply is complete. Each has a job on the queue of titles."""
    posts = [a_post(content=f"{n} fake:chunks=2,gate=titles") for n in range(CHATS)]
    for posted in posts:
        complete_reply(a_claim(posted), Answer("Yes", finish_reason="stop"))
    return [posted.message.chat_session_id for posted in posts]


@pytest.fixture
def broker(untitled: list[str], settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[ReplyBroker]:
    monkeypatch.setenv("HOLDFAST_WORKER_THREADS", str(THREADS))
    monkeypatch.setenv("HOLDFAST_TITLE_MODEL", "")
    monkeypatch.setattr("workers.title._SECONDS", 300.0)
    broker = create_worker()
    assert isinstance(broker, ReplyBroker)
    worker = Worker(broker, worker_timeout=20, worker_threads=THREADS)
    worker.start()
    yield broker
    broker.fetching = False
    worker.stop()
    broker.close()


def titles(chats: list[str]) -> list[str]:
    return [the_chat(chat_id).title for chat_id in chats]


def test_titles_that_take_long_leave_the_threads_to_replies(
    broker: ReplyBroker, untitled: list[str], fake_model: FakeModel
) -> None:
    eventually(lambda: len(fake_model.requests) == THREADS // 4)
    waiting = int(broker.client.llen(f"{broker.namespace}:{TITLES}"))
    replies = [a_post(content="fake:chunks=2").reply.id for _ in range(THREADS)]
    eventually(lambda: [the_message(one).status for one in replies] == ["completed"] * THREADS)
    assert waiting == CHATS - THREADS // 4
    assert titles(untitled) == ["New chat"] * CHATS
    fake_model.open_gate("titles")
    eventually(lambda: titles(untitled) == ["word0 word1"] * CHATS)
    eventually(lambda: broker.room.further == 0)
