"""A waiting reply says how many come before it, when it may begin, and whether any worker is there."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import update

from shared.actions.messages.accept import Posted
from shared.actions.queue.presence import forget_worker, note_worker
from shared.actions.replies.claim import claim_reply
from shared.actions.replies.finish import Answer, complete_reply
from shared.actions.replies.stop import stop_reply
from shared.actions.upkeep.forget_workers import forget_workers
from shared.database.clock import utc_now
from shared.database.tables import new_id
from shared.database.units import execute, write_unit
from shared.models import ChatSession, User
from shared.models.worker import workers
from tests.channel import Channel
from tests.factories import a_chat, a_claim, a_post, a_user, change, past, signed_in, the_message
from tests.integration.queue.waiting.asking import Three


@pytest.fixture(autouse=True)
def nothing_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each answer reads the pace anew."""
    monkeypatch.setattr("shared.actions.queue.pace._FRESH", 0.0)


@pytest.fixture
def worker(core: Flask) -> str:
    """A worker that lives."""
    worker_id = new_id()
    note_worker(worker_id)
    return worker_id


def place(me: FlaskClient, posted: Posted) -> Any:
    return me.get(f"/chats/{posted.reply.chat_session_id}/messages/{posted.reply.id}").json["queue"]


def ahead(me: FlaskClient, *posts: Posted) -> list[int]:
    return [place(me, posted)["ahead"] for posted in posts]


def completed(count: int, ago: float = 10.0) -> None:
    """So many replies of somebody else have completed, so many seconds ago."""
    chat = a_chat()
    for _ in range(count):
        posted = a_post(chat)
        complete_reply(a_claim(posted), Answer("Done"))
        change(posted.reply.id, completed_at=utc_now() - timedelta(seconds=ago))


def seen(worker_id: str, seconds_ago: float) -> None:
    with write_unit():
        execute(update(workers).where(workers.c.id == worker_id).values(seen_at=past(seconds_ago)))


def test_in_its_chat_each_reply_waits_for_those_before_it(me: FlaskClient, three: Three) -> None:
    assert ahead(me, *three) == [0, 1, 2]
    a_claim(three[0])
    assert ahead(me, *three[1:]) == [1, 2]


def test_a_reply_with_its_turn_waits_for_those_that_had_theirs_before(app: Flask, me: FlaskClient, user: User) -> None:
    others = [a_user() for _ in range(3)]
    earlier = [a_post(a_chat(other)) for other in others]
    for number, posted in enumerate(earlier):
        change(posted.reply.id, dispatched_at=past(10 - number))
    mine = a_post(a_chat(user))
    behind = a_post(a_chat(user))
    assert ahead(me, mine) == [3]
    a_claim(earlier[0])  # a reply that runs is no longer in the queue
    assert ahead(me, mine) == [2]
    assert ahead(signed_in(app, others[1]), earlier[1]) == [0]
    change(mine.reply.id, dispatched_at=past(60))
    assert ahead(me, mine, behind) == [0, 3]


def test_without_a_turn_a_reply_waits_for_the_users_own_turns_and_for_everybody_in_the_queue(
    me: FlaskClient, user: User
) -> None:
    a_post(a_chat())
    mine = [a_post(a_chat(user)) for _ in range(4)]
    a_claim(mine[0])
    assert the_message(mine[2].reply.id).dispatched_at is None
    # the running one, the one in the queue, the one of somebody else; then also the older one without a turn
    assert ahead(me, *mine[2:]) == [3, 4]


def test_what_is_older_in_a_parked_chat_is_not_ahead(me: FlaskClient, user: User, chat: ChatSession) -> None:
    stopped, _parked = a_post(chat), a_post(chat)
    stop_reply(user.id, chat.id, stopped.reply.id)
    turns = [a_post(a_chat(user)) for _ in range(2)]
    last = a_post(a_chat(user))
    assert all(the_message(posted.reply.id).dispatched_at for posted in turns)
    assert ahead(me, last) == [2]


@pytest.mark.usefixtures("worker")
def test_the_guess_is_what_is_ahead_over_the_pace_of_five_minutes(me: FlaskClient, three: Three) -> None:
    completed(4)
    completed(3, ago=301)
    assert place(me, three[2])["estimatedStartAt"] is None
    completed(1, ago=299)
    now = utc_now()
    start = datetime.fromisoformat(place(me, three[2])["estimatedStartAt"])
    assert timedelta(seconds=120) <= start - now < timedelta(seconds=180)  # 2 replies, 5 in 300 s


@pytest.mark.usefixtures("worker")
def test_of_many_completions_the_newest_tell_the_pace(
    me: FlaskClient, three: Three, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shared.actions.queue.pace._MOST", 6)
    completed(6, ago=60)  # so many, and more may lie before them
    now = utc_now()
    start = datetime.fromisoformat(place(me, three[2])["estimatedStartAt"])
    assert timedelta(seconds=20) <= start - now < timedelta(seconds=60)  # 2 replies, 6 in 60 s


@pytest.mark.usefixtures("worker")
def test_a_parked_reply_has_no_guess(me: FlaskClient, user: User, chat: ChatSession, three: Three) -> None:
    completed(5)
    assert place(me, three[1])["estimatedStartAt"]
    stop_reply(user.id, chat.id, three[0].reply.id)
    assert place(me, three[1])["estimatedStartAt"] is None


def test_without_a_worker_for_thirty_seconds_the_reply_says_so(me: FlaskClient, three: Three, worker: str) -> None:
    completed(5)
    seen(worker, 25)
    assert (place(me, three[0])["noWorker"], bool(place(me, three[0])["estimatedStartAt"])) == (False, True)
    seen(worker, 31)
    assert (place(me, three[0])["noWorker"], place(me, three[0])["estimatedStartAt"]) == (True, None)
    note_worker(worker)
    assert place(me, three[0])["noWorker"] is False
    seen(worker, -40)  # noted before the clock was set back
    assert place(me, three[0])["noWorker"] is True
    note_worker(worker)
    forget_worker(worker)
    assert place(me, three[0])["noWorker"] is True


def test_only_dead_workers_are_forgotten(worker: str) -> None:
    dead, of_the_future, resting = new_id(), new_id(), new_id()
    for one, ago in ((dead, 301), (of_the_future, -301), (resting, 290)):
        note_worker(one)
        seen(one, ago)
    assert forget_workers() == 2
    with write_unit():
        assert {row.id for row in execute(workers.select())} == {worker, resting}


def test_the_pace_is_kept_for_a_second(me: FlaskClient, three: Three, worker: str, monkeypatch: Any) -> None:
    monkeypatch.setattr("shared.actions.queue.pace._FRESH", 3_600.0)
    assert place(me, three[0])["noWorker"] is False
    forget_worker(worker)
    assert place(me, three[0])["noWorker"] is False
    monkeypatch.setattr("shared.actions.queue.pace._FRESH", 0.0)
    assert place(me, three[0])["noWorker"] is True


def test_a_post_says_the_same_as_the_next_look(me: FlaskClient, user: User, chat: ChatSession) -> None:
    a_post(a_chat())
    for _ in range(3):
        posted = me.post(f"/chats/{chat.id}/messages", json={"content": "Hello"}).json["reply"]
        assert posted == me.get(f"/chats/{chat.id}/messages/{posted['id']}").json
        assert posted["queue"]["ahead"] == 1 + posted["position"] // 2


def test_every_answer_shows_the_place_and_no_event_does(
    me: FlaskClient, chat: ChatSession, user: User, channel: Channel
) -> None:
    posted = me.post(f"/chats/{chat.id}/messages", json={"content": "Hello"}).json
    place = {"ahead": 0, "estimatedStartAt": None, "noWorker": True}
    assert (posted["message"]["queue"], posted["reply"]["queue"]) == (None, place)
    path = f"/chats/{chat.id}/messages"
    for items in (me.get(path).json["items"], me.get(f"/chats/{chat.id}/queue").json["items"]):
        assert [item["queue"] for item in items] == [None, place]
    assert [item["queue"] for item in me.get("/sync?after=0").json["messages"]] == [None, place]
    assert me.get(f"{path}/{posted['reply']['id']}").json["queue"] == place
    assert not any("queue" in event.data for event in channel.heard())
    claim = claim_reply(posted["reply"]["id"], "a worker")
    assert claim
    complete_reply(claim, Answer("Done"))
    assert me.get(f"{path}/{posted['reply']['id']}").json["queue"] is None
