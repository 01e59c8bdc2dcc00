"""Chats change at random. A client that asks GET /sync at any moments has the server's rows in the end."""

import random
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest
from flask.testing import FlaskClient

from shared.actions.chats.change import rename_chat, see_chat
from shared.actions.chats.create import create_chat
from shared.actions.chats.delete import delete_chat
from shared.actions.chats.fork import ForkRequest, fork_chat
from shared.actions.messages.accept import Posted
from shared.actions.messages.again import AgainRequest, ask_again
from shared.actions.messages.delete import delete_message
from shared.actions.messages.edit import EditRequest, edit_message
from shared.actions.messages.idempotency import PostRequest
from shared.actions.messages.post import post_message
from shared.actions.messages.show import show_version
from shared.actions.queue.parking import resume_queue
from shared.actions.queue.reorder import remove_waiting, reorder_queue
from shared.actions.queue.waiting import waiting_in
from shared.actions.replies.claim import claim_reply
from shared.actions.replies.finish import Answer, Superseded, complete_reply, fail_reply
from shared.actions.replies.release import give_back
from shared.actions.replies.stop import stop_reply
from shared.core import current_link
from shared.errors.base import HoldfastError
from shared.errors.replies import WorkerLost
from shared.models import User
from shared.redis.live_text import Piece, append
from tests.channel import Channel
from tests.factories import a_post, the_chat, the_message, the_user
from tests.integration.http.mirror import Mirror


def as_it_is(me: FlaskClient) -> tuple[dict[str, Any], dict[str, Any]]:
    """All chats and messages, as the lists show them, without the places in the queue (D-156)."""
    chats = {chat["id"]: chat for chat in me.get("/chats?limit=200").json["items"]}
    lists = [me.get(f"/chats/{chat}/messages?limit=200").json["items"] for chat in chats]
    return chats, {message["id"]: message | {"queue": None} for items in lists for message in items}


class Life:
    """Changes one user's chats at random, through the product's own verbs."""

    def __init__(self, user: User, chance: random.Random, forks: bool = True) -> None:
        self.user, self.chance, self.forks = user, chance, forks
        self.chats: list[str] = []
        self.replies: list[str] = []
        self.claims: list[Any] = []

    def step(self) -> None:
        steps = [self.create, self.rename, self.see, self.post, self.post, self.claim, self.claim, self.finish]
        others = [self.finish, self.fail, self.give_back, self.write, self.delete, self.forget, self.stop, self.resume]
        versions = [self.again, self.edit, self.show, self.store, *([self.fork] if self.forks else [])]
        queue = [self.ask, self.ask, self.reorder, self.reorder, self.edit, self.take_out]
        self.chance.choice(steps + others + versions + queue)()

    def create(self) -> None:
        self.chats.append(create_chat(self.user.id, None).id)

    def rename(self) -> None:
        self._try(lambda: rename_chat(self.user.id, self._a_chat(), str(self.chance.random())))

    def see(self) -> None:
        self._try(lambda: see_chat(self.user.id, self._a_chat(), self.chance.randrange(200)))

    def post(self) -> None:
        self._try(lambda: self.replies.append(a_post(the_chat(self._a_chat())).reply.id))

    def claim(self) -> None:
        claims = [claim_reply(reply, "a worker") for reply in self.replies]
        self.claims += [claim for claim in claims if claim]

    def write(self) -> None:
        if self.claims:
            claim = self.chance.choice(self.claims)
            append(current_link(), [Piece(claim.id, claim.attempt, "a piece ", b'["nobody","resync",{}]')])

    def finish(self) -> None:
        self._try(lambda: complete_reply(self._a_claim(), Answer("All of it", 3, "fake", "stop")))

    def fail(self) -> None:
        self._try(lambda: fail_reply(self._a_claim(), WorkerLost(), Answer("Half", 1)))

    def give_back(self) -> None:
        self._try(lambda: give_back(self._a_claim(), 0))

    def delete(self) -> None:
        if self.chance.random() < 0.2:
            self._try(lambda: delete_chat(self.user.id, self._a_chat()))

    def forget(self) -> None:
        self._try(lambda: delete_message(self.user.id, *self._a_message()))

    def stop(self) -> None:
        self._try(lambda: stop_reply(self.user.id, *self._a_message()))

    def again(self) -> None:
        verb = self.chance.choice(["regenerate", "retry", "continue"])
        self._try(lambda: self._keep(ask_again(self.user.id, AgainRequest(verb, *self._a_message()))))

    def edit(self) -> None:
        self._try(lambda: self._keep(edit_message(self.user.id, EditRequest(*self._a_message(), "Edited"))))

    def show(self) -> None:
        self._try(lambda: show_version(self.user.id, *self._a_message()))

    def store(self) -> None:
        self._try(lambda: post_message(self.user.id, PostRequest(self._a_chat(), "Stored", generate=False)))

    def fork(self) -> None:
        self._try(lambda: self.chats.append(fork_chat(self.user.id, ForkRequest(*self._a_message())).chat.id))

    def resume(self) -> None:
        self._try(lambda: resume_queue(self.user.id, self._a_chat()))

    def ask(self) -> None:
        request = PostRequest(self._a_chat(), "Now", when_busy=self.chance.choice(["reject", "interrupt", "interrupt"]))
        self._try(lambda: self._keep(post_message(self.user.id, request)))

    def reorder(self) -> None:
        chat = self._a_chat()
        names = [one.name for one in waiting_in(self.user.id, chat)]
        self.chance.shuffle(names)
        self._try(lambda: reorder_queue(self.user.id, chat, names, the_user(self.user.id).seq))

    def take_out(self) -> None:
        self._try(lambda: remove_waiting(self.user.id, *self._a_message()))

    def _keep(self, posted: Posted) -> None:
        assert posted.reply
        self.replies.append(posted.reply.id)

    def _a_message(self) -> tuple[str, str]:
        if not self.replies:
            raise HoldfastError
        message = the_message(self.chance.choice(self.replies))
        return message.chat_session_id, self.chance.choice([message.id, message.reply_to])

    def _a_chat(self) -> str:
        if not self.chats:
            self.create()
        return self.chance.choice(self.chats)

    def _a_claim(self) -> Any:
        if not self.claims:
            raise HoldfastError
        return self.claims.pop(self.chance.randrange(len(self.claims)))

    def _try(self, act: Callable[[], Any]) -> None:
        with suppress(HoldfastError, Superseded):  # the row is gone, or the step is not possible now
            act()


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.settings(signup_credits=3000, max_failures=3)
def test_from_any_earlier_moment_page_by_page_one_gets_the_rows_as_they_are(
    seed: int, me: FlaskClient, user: User
) -> None:
    chance = random.Random(seed)
    life, mirrors = Life(user, chance), [Mirror(me)]
    for _ in range(8):
        for _ in range(chance.randrange(1, 12)):
            life.step()
        mirrors.append(Mirror(me))
        for mirror in chance.sample(mirrors, len(mirrors) // 2):
            mirror.catch_up(chance.choice([1, 2, 3, 7, 200]))
    is_now = as_it_is(me)
    for mirror in mirrors:
        mirror.catch_up(chance.choice([1, 2, 3, 7, 200]))
        shown = {name: message for name, message in mirror.messages.items() if message["shown"]}
        assert (mirror.chats, shown) == is_now
        assert mirror.cursor == the_user(user.id).seq


@pytest.mark.parametrize("seed", range(3))
def test_every_number_is_told_by_exactly_one_event_and_stands_in_a_row(
    seed: int, me: FlaskClient, user: User, channel: Channel
) -> None:
    life = Life(user, random.Random(seed), forks=False)  # the copies of a fork have numbers without events (D-149)
    for _ in range(40):
        life.step()
    numbers = [event.data["seq"] for event in channel.heard() if event.user_id == user.id]
    assert numbers == list(range(1, the_user(user.id).seq + 1))
    for event in channel.heard():
        if event.name.startswith(("message.", "chat.")) and not event.name.endswith(".deleted"):
            find = the_message if event.name.startswith("message.") else the_chat
            assert find(event.data["id"]).seq >= event.data["seq"], event.name
