"""Queues change at random, and from several devices at once. Turns stay fair, places stay whole, and credits add up."""

import random
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from shared.actions.messages.accept import Posted
from shared.actions.messages.edit import EditRequest, edit_message
from shared.actions.messages.idempotency import PostRequest
from shared.actions.messages.post import post_message
from shared.actions.queue.reorder import remove_waiting, reorder_queue
from shared.actions.queue.waiting import waiting_in
from shared.actions.replies.claim import Claim, claim_reply
from shared.actions.replies.finish import Answer, Superseded, complete_reply
from shared.actions.replies.rescue import give_turns
from shared.database.tables import db
from shared.errors.base import HoldfastError
from shared.models import ChatSession, User
from shared.models.message import messages
from tests.factories import a_chat, a_claim, a_post, at_once, money_of, the_chat, the_message, the_user
from tests.integration.queue.waiting.asking import in_order, places_of, running_in

RULES = ["queue", "queue", "reject", "interrupt"]


def post(chat: ChatSession, rule: str) -> Posted:
    return post_message(chat.owner_id, PostRequest(chat.id, "Hello", when_busy=rule))


def claimed(user: User) -> list[Claim]:
    """A worker takes everything that has its turn."""
    ready = db.session.query(messages.c.id).filter_by(owner_id=user.id, status="pending").all()
    db.session.rollback()
    return [claim for claim in (claim_reply(row.id, "a worker") for row in ready) if claim]


class Device:
    """One of the user's devices, or a worker. Each step is one random change of one chat."""

    def __init__(self, user: User, chats: list[ChatSession], seed: int) -> None:
        self.user, self.chats, self.chance = user, chats, random.Random(seed)

    def steps(self, count: int) -> None:
        for _ in range(count):
            with suppress(HoldfastError, Superseded):
                self.chance.choice([self.post, self.post, self.reorder, self.edit, self.remove, self.work])()

    def post(self) -> None:
        post(self.chance.choice(self.chats), self.chance.choice(RULES))

    def reorder(self) -> None:
        chat = self.chance.choice(self.chats)
        names = [one.name for one in waiting_in(self.user.id, chat.id)]
        reorder_queue(self.user.id, chat.id, self.chance.sample(names, len(names)), the_user(self.user.id).seq)

    def edit(self) -> None:
        edit_message(self.user.id, EditRequest(*self._waiting(), str(self.chance.random())))

    def remove(self) -> None:
        remove_waiting(self.user.id, *self._waiting())

    def work(self) -> None:
        for claim in claimed(self.user):
            if self.chance.random() < 0.8:
                complete_reply(claim, Answer("Done"))

    def _waiting(self) -> tuple[str, str]:
        chat = self.chance.choice(self.chats)
        waiting = waiting_in(self.user.id, chat.id)
        if not waiting:
            raise HoldfastError
        return chat.id, self.chance.choice(waiting).name


def must_be_fair(user: User, chats: list[ChatSession]) -> None:
    """At most two turns for the user, one for a chat, and that one is first. With work and a free turn, it is given."""
    turns = 0
    for chat in chats:
        assert len(set(places_of(chat))) == len(places_of(chat))
        still_open = [row for row in map(the_message, in_order(chat)) if row.status in ("pending", "running")]
        have_turns = [row for row in still_open if row.dispatched_at]
        assert len(have_turns) <= 1
        assert not have_turns or have_turns == still_open[:1]
        turns += len(have_turns)
        for row in still_open:
            question = the_message(row.reply_to)
            assert (question.position < row.position, question.deleted_at) == (True, None)
    assert turns <= 2
    assert give_turns() == 0, "a turn was free, and nobody gave it"


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.settings(signup_credits=3000)
def test_after_any_step_turns_are_fair_and_places_are_whole(seed: int, user: User) -> None:
    chats = [a_chat(user) for _ in range(3)]
    device = Device(user, chats, seed)
    for _ in range(25):
        device.steps(1)
        must_be_fair(user, chats)


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.settings(signup_credits=3000)
def test_several_devices_and_workers_at_once_leave_a_whole_queue(seed: int, core: Flask, user: User) -> None:
    chats = [a_chat(user) for _ in range(3)]
    devices = [Device(user, chats, seed * 10 + number) for number in range(4)]
    at_once(core, *(lambda device=device: device.steps(12) for device in devices))
    must_be_fair(user, chats)


def together(core: Flask, *calls: Callable[[], Any]) -> list[Any]:
    def tried(call: Callable[[], Any]) -> Any:
        try:
            return call()
        except (HoldfastError, Superseded) as error:
            return error

    return at_once(core, *(lambda call=call: tried(call) for call in calls))


def test_of_two_interrupts_at_once_the_later_one_goes_first(core: Flask, chat: ChatSession, user: User) -> None:
    first, waiting = a_post(chat), a_post(chat)
    a_claim(first)
    together(core, lambda: post(chat, "interrupt"), lambda: post(chat, "interrupt"))
    rows = [the_message(one) for one in in_order(chat)]
    assert [row.status for row in rows if row.reply_to] == ["cancelled", "cancelled", "pending", "pending"]
    assert rows[-1].id == waiting.reply.id
    assert rows[-3].dispatched_at
    assert money_of(user.id) == (294, 6)


@pytest.mark.parametrize("other", ["complete", "claim"])
def test_an_interrupt_that_meets_a_worker_ends_the_reply_once(
    other: str, core: Flask, chat: ChatSession, user: User
) -> None:
    ends = Counter[str]()
    for _ in range(6):
        first = a_post(chat)
        claim = a_claim(first) if other == "complete" else None

        def meet(first: Posted = first, claim: Claim | None = claim) -> object:
            return complete_reply(claim, Answer("Done")) if claim else claim_reply(first.reply.id, "a worker")

        posted, _ = together(core, lambda: post(chat, "interrupt"), meet)
        ends[the_message(first.reply.id).status] += 1
        assert running_in(chat) == 0
        assert the_chat(chat.id).parked_at is None
        complete_reply(a_claim(posted), Answer("Done"))
    assert ends.keys() <= {"cancelled", "completed"}
    assert sum(ends.values()) == 6


def test_of_an_edit_and_a_claim_at_once_the_worker_reads_the_text_that_is_shown(
    core: Flask, me: FlaskClient, chat: ChatSession
) -> None:
    posted = a_post(chat)
    edited, claim = together(
        core,
        lambda: edit_message(chat.owner_id, EditRequest(chat.id, posted.message.id, "Edited")),
        lambda: claim_reply(posted.reply.id, "a worker"),
    )
    assert claim
    accepted = not isinstance(edited, HoldfastError)
    shown = me.get(f"/chats/{chat.id}/messages/{posted.message.id}").json
    assert shown["content"] == ("Edited" if accepted else "Hello")
    assert (shown["seq"] < the_message(posted.reply.id).seq) or not accepted


def test_of_a_removal_and_a_claim_at_once_one_succeeds(core: Flask, chat: ChatSession, user: User) -> None:
    posted = a_post(chat)
    removed, claim = together(
        core,
        lambda: remove_waiting(chat.owner_id, chat.id, posted.message.id),
        lambda: claim_reply(posted.reply.id, "a worker"),
    )
    assert (removed is None) == (claim is None)
    assert money_of(user.id) == ((297, 3) if claim else (300, 0))
