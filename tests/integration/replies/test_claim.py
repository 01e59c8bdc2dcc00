"""Claiming a reply: the rules for workers, and that only one worker gets it."""

from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from redis import Redis

from shared.actions.messages.post import Posted
from shared.actions.queue.dispatch import first_turn
from shared.actions.queue.hand_over import queue_is_empty
from shared.actions.replies.claim import Claim, NoRoom, claim_reply
from shared.actions.replies.finish import Answer, complete_reply
from shared.actions.replies.release import give_back, release_reply
from shared.actions.replies.rescue import give_turns, rescue_lapsed
from shared.models import ChatSession, User
from shared.models.status import Status
from shared.settings import Settings
from tests.channel import Channel
from tests.factories import (
    a_chat,
    a_claim,
    a_post,
    at_once,
    change,
    clock,
    nothing_changes,
    past,
    the_message,
    the_user,
)
from tests.fake_model import FakeModel
from workers.reply import Desk, write_reply

REFUSALS: dict[str, dict[str, Callable[[], Any]]] = {
    "it has not had its turn": {"dispatched_at": lambda: None},
    "its pause is not over": {"not_before": lambda: past(-60)},
    "it is past its deadline": {"deadline_at": lambda: past(1)},
    "it runs already": {"status": lambda: Status.RUNNING, "lease_until": lambda: past(-60)},
    "it runs and its lease has lapsed": {"status": lambda: Status.RUNNING, "lease_until": lambda: past(60)},
    "it is completed": {"status": lambda: Status.COMPLETED},
    "it has failed": {"status": lambda: Status.FAILED},
    "it was cancelled": {"status": lambda: Status.CANCELLED},
}


@pytest.fixture
def posted(chat: ChatSession) -> Posted:
    return a_post(chat)


@pytest.mark.parametrize("why", REFUSALS)
def test_a_claim_is_refused_and_changes_nothing_when(why: str, posted: Posted, channel: Channel) -> None:
    before = the_message(posted.reply.id)._asdict()
    columns = {name: value() for name, value in REFUSALS[why].items()}
    change(posted.reply.id, **columns)
    with nothing_changes():
        assert claim_reply(posted.reply.id, "a worker") is None
    assert channel.heard() == []
    change(posted.reply.id, **{name: before[name] for name in columns})
    assert claim_reply(posted.reply.id, "a worker")


def test_a_claim_is_refused_while_another_reply_of_the_chat_runs(chat: ChatSession, posted: Posted) -> None:
    second = a_post(chat)
    change(second.reply.id, dispatched_at=past(0))
    a_claim(posted)
    with nothing_changes():
        assert claim_reply(second.reply.id, "a worker") is None


def test_a_worker_without_room_claims_no_further_reply_of_a_user(chat: ChatSession, posted: Posted) -> None:
    further = a_post(a_chat(User(id=chat.owner_id)))
    assert claim_reply(posted.reply.id, "a worker", roomy=False)
    with nothing_changes(), pytest.raises(NoRoom):
        claim_reply(further.reply.id, "a worker", roomy=False)
    assert claim_reply(posted.reply.id, "a worker", roomy=False) is None  # it runs, so room would not help
    assert claim_reply(further.reply.id, "a worker")


def test_a_further_reply_goes_to_its_own_queue_and_its_user_s_next_end_brings_it_back(
    chat: ChatSession, posted: Posted, desk: Desk, redis: Redis
) -> None:
    claim = a_claim(posted)
    further = a_post(a_chat(User(id=chat.owner_id)))
    redis.delete("holdfast:test:queue:replies")
    assert write_reply(further.reply.id, desk, roomy=False) is None
    assert redis.llen("holdfast:test:queue:further") == 1
    assert not queue_is_empty()
    assert first_turn(chat.owner_id) == []
    complete_reply(claim, Answer("All of it"))
    assert first_turn(chat.owner_id) == [further.reply.id]


def test_an_unknown_id_is_refused(core: Flask) -> None:
    assert claim_reply("01890000-0000-7000-8000-000000000000", "a worker") is None


def test_a_claim_makes_it_running_with_a_lease_and_an_attempt(posted: Posted, settings: Settings) -> None:
    claim = claim_reply(posted.reply.id, "the worker")
    row = the_message(posted.reply.id)
    assert claim
    assert (claim.id, claim.attempt, claim.model) == (posted.reply.id, 1, settings.model)
    assert (row.status, row.attempt, row.claimed_by) == ("running", 1, "the worker")
    assert 0 < row.lease_until - clock() <= settings.lease_seconds * 1000
    assert 0 < row.deadline_at - clock() <= settings.reply_timeout * 1000
    assert row.started_at


def test_a_claim_takes_one_number_and_tells_it(posted: Posted, channel: Channel) -> None:
    before = the_user(posted.account.user_id).seq
    a_claim(posted)
    (started,) = channel.heard()
    assert (started.user_id, started.name) == (posted.account.user_id, "message.started")
    assert (started.data["id"], started.data["attempt"], started.data["status"]) == (posted.reply.id, 1, "running")
    assert started.data["seq"] == the_message(posted.reply.id).seq == the_user(posted.account.user_id).seq == before + 1


def test_the_attempt_grows_and_the_deadline_stays(posted: Posted) -> None:
    first = a_claim(posted)
    change(first.id, deadline_at=past(-7), content="half", live_index=1)
    deadline = the_message(first.id).deadline_at
    assert give_back(first, 0)
    give_turns()
    second = a_claim(posted)
    row = the_message(second.id)
    assert (second.attempt, row.attempt) == (2, 2)
    assert row.deadline_at == deadline
    assert (row.content, row.live_index, row.first_text_at) == ("", 0, None)


def test_the_same_job_delivered_four_times_at_once_asks_the_model_once(
    core: Flask, posted: Posted, desk: Desk, fake_model: FakeModel
) -> None:
    at_once(core, *[lambda: write_reply(posted.reply.id, desk)] * 4)
    assert len(fake_model.requests) == 1
    row = the_message(posted.reply.id)
    assert (row.status, row.attempt) == ("completed", 1)


def test_a_job_delivered_again_after_the_end_does_nothing(
    posted: Posted, desk: Desk, fake_model: FakeModel, channel: Channel
) -> None:
    write_reply(posted.reply.id, desk)
    channel.forget()
    with nothing_changes():
        write_reply(posted.reply.id, desk)
    assert (len(fake_model.requests), channel.heard()) == (1, [])


def test_a_reply_whose_worker_died_is_to_be_written_alone(posted: Posted) -> None:
    first = a_claim(posted)
    assert not first.alone
    change(first.id, lease_until=past(1))
    rescue_lapsed()
    assert a_claim(posted).alone


@pytest.mark.parametrize("give_away", [lambda claim: give_back(claim, 0), release_reply])
def test_one_that_its_worker_gave_back_is_not(give_away: Callable[[Claim], bool], posted: Posted) -> None:
    assert give_away(a_claim(posted))
    give_turns()
    assert not a_claim(posted).alone
