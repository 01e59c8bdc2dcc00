"""A user's life: chats and messages change at random, by every verb of the product."""

import random
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from shared.actions.chats.change import change_chat, see_chat, touch_chat
from shared.actions.chats.create import create_chat
from shared.actions.chats.delete import delete_chat
from shared.actions.chats.fork import ForkRequest, fork_chat
from shared.actions.chats.title import first_question, set_title
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
from tests.factories import a_post, the_chat, the_message, the_user


class Life:
    """Changes one user's chats at random, through the product's own verbs."""

    def __init__(self, user: User, chance: random.Random, forks: bool = True) -> None:
        self.user, self.chance, self.forks = user, chance, forks
        self.chats: list[str] = []
        self.replies: list[str] = []
        self.claims: list[Any] = []

    def step(self) -> None:
        chats = [self.create, self.rename, self.archive, self.touch, self.title, self.see, self.delete]
        steps = [self.post, self.post, self.claim, self.claim, self.finish]
        others = [self.finish, self.fail, self.give_back, self.write, self.forget, self.stop, self.resume]
        versions = [self.again, self.edit, self.show, self.store, *([self.fork] if self.forks else [])]
        queue = [self.ask, self.ask, self.reorder, self.reorder, self.edit, self.take_out]
        self.chance.choice(chats + steps + others + versions + queue)()

    def create(self) -> None:
        self.chats.append(create_chat(self.user.id, None).id)

    def rename(self) -> None:
        self._try(lambda: change_chat(self.user.id, self._a_chat(), str(self.chance.random())))

    def archive(self) -> None:
        self._try(lambda: change_chat(self.user.id, self._a_chat(), archived=self.chance.random() < 0.7))

    def touch(self) -> None:
        self._try(lambda: touch_chat(self.user.id, self._a_chat()))

    def title(self) -> None:
        if question := first_question(self._a_chat()):
            set_title(question, str(self.chance.random()))

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
