"""Fair turns across users: long replies of a few users leave threads to everybody else (D-115)."""

from collections.abc import Iterator

import pytest
from dramatiq import Message, Worker
from flask import Flask

from shared.redis.broker import ReplyBroker, job_for
from shared.redis.queues import FURTHER
from shared.settings import Settings
from tests.eventually import eventually, patience
from tests.factories import a_chat, a_post, a_user, on_sqlite_only, the_message
from tests.fake_model import FakeModel
from workers.main import create_worker
from workers.reply import Desk, create_desk

# tests/integration/replies/test_claim.py has the guard of the claim, on both databases.
pytestmark = on_sqlite_only

THREADS, USERS = 8, 5  # one reply of each keen user runs, and one of somebody else; two threads stay free


@pytest.fixture(autouse=True)
def _redis_has_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """A busy Redis loses no hand-over. No sweeper runs here that would repeat it."""
    monkeypatch.setattr("shared.redis.link.TRIP_TIMEOUT", patience(0.5))


@pytest.fixture
def broker(core: Flask, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[ReplyBroker]:
    patient = {"SILENCE_TIMEOUT": "300", "FIRST_TEXT_TIMEOUT": "300", "REPLY_TIMEOUT": "900", "LEASE_SECONDS": "30"}
    for name, value in (patient | {"WORKER_THREADS": str(THREADS)}).items():
        monkeypatch.setenv(f"HOLDFAST_{name}", value)
    desks: list[Desk] = []
    monkeypatch.setattr("workers.main.create_desk", lambda *args: desks.append(create_desk(*args)) or desks[0])
    broker = create_worker()
    assert isinstance(broker, ReplyBroker)
    worker = Worker(broker, worker_timeout=20, worker_threads=THREADS)
    worker.start()
    yield broker
    broker.fetching = False
    worker.stop()
    broker.close()
    desks[0].provider._client.close()


@pytest.fixture
def keen(broker: ReplyBroker, fake_model: FakeModel) -> Iterator[list[tuple[str, str]]]:
    """The two replies of each keen user: the first one runs, and a worker has put the second one aside."""
    users = [a_user() for _ in range(USERS)]
    modest = a_post(content="fake:chunks=2,gate=modest").reply.id
    first = [a_post(a_chat(user), f"fake:chunks=2,gate=first{n}").reply.id for n, user in enumerate(users)]
    eventually(lambda: statuses([modest, *first]) == ["running"] * (1 + USERS))
    further = [a_post(a_chat(user), "fake:chunks=2,gate=further").reply.id for user in users]
    eventually(lambda: set_aside(broker) == USERS)
    yield list(zip(first, further, strict=True))
    for gate in ("modest", "further", *(f"first{n}" for n in range(USERS))):
        fake_model.open_gate(gate)
    eventually(lambda: statuses(first + further) == ["completed"] * 2 * USERS)


def statuses(ids: list[str]) -> list[str]:
    return [the_message(reply_id).status for reply_id in ids]


def set_aside(broker: ReplyBroker) -> int:
    return int(broker.client.llen(f"{broker.namespace}:{FURTHER}"))


def test_a_stranger_need_not_wait_for_the_long_replies_of_others(keen: list[tuple[str, str]]) -> None:
    stranger = a_post(content="fake:chunks=2").reply.id
    eventually(lambda: statuses([stranger]) == ["completed"])
    assert {*statuses([further for _, further in keen])} == {"pending"}


def test_the_reply_that_was_put_aside_first_runs_as_soon_as_there_is_room(
    keen: list[tuple[str, str]], broker: ReplyBroker, fake_model: FakeModel
) -> None:
    (head,) = broker.client.lrange(f"{broker.namespace}:{FURTHER}", 0, 0)
    (reply_id,) = Message.decode(broker.client.hget(f"{broker.namespace}:{FURTHER}.msgs", head)).args
    fake_model.open_gate("modest")
    eventually(lambda: statuses([reply_id]) == ["running"])
    assert sorted(statuses([further for _, further in keen])) == ["pending"] * (USERS - 1) + ["running"]


def test_a_reply_is_no_further_one_once_the_other_of_its_user_has_ended(
    keen: list[tuple[str, str]], fake_model: FakeModel
) -> None:
    # Newcomers leave no room for any further reply, even after one of the first has ended
    newcomer = a_post(content="fake:chunks=2,gate=further").reply.id
    eventually(lambda: statuses([newcomer]) == ["running"])
    last = USERS - 1
    fake_model.open_gate(f"first{last}")
    further = [reply_id for _, reply_id in keen]
    eventually(lambda: statuses(further) == ["pending"] * last + ["running"])


def test_junk_among_the_further_replies_takes_no_room(
    keen: list[tuple[str, str]], broker: ReplyBroker, fake_model: FakeModel
) -> None:
    broker.client.lpush(f"{broker.namespace}:{FURTHER}", *[b"junk"] * 3)
    for actor in ("an actor of a newer version", "write_reply"):
        broker.enqueue(job_for("a reply", FURTHER).copy(actor_name=actor))
    fake_model.open_gate("modest")
    eventually(lambda: statuses([further for _, further in keen]).count("running") == 1)
    assert broker.room.further == 1
