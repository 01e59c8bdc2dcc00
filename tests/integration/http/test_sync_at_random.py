"""Chats change at random. A client that asks GET /sync at any moments has the server's rows in the end."""

import random
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest
from flask.testing import FlaskClient

from shared.actions.chats.change import change_chat, see_chat, touch_chat
from shared.actions.chats.create import create_chat
from shared.actions.chats.delete import delete_chat
from shared.actions.chats.title import first_question, set_title
from shared.actions.messages.delete import delete_message
from shared.actions.queue.parking import resume_queue
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
    """All chats and messages, as the lists show them."""
    pages = [me.get(f"/chats?limit=200&archived={kind}").json for kind in ("true", "false")]
    chats = {chat["id"]: chat for page in pages for chat in page["items"]}
    lists = [me.get(f"/chats/{chat}/messages?limit=200").json["items"] for chat in chats]
    return chats, {message["id"]: message for items in lists for message in items}


class Life:
    """Changes one user's chats at random, through the product's own verbs."""

    def __init__(self, user: User, chance: random.Random) -> None:
        self.user, self.chance = user, chance
        self.chats: list[str] = []
        self.replies: list[str] = []
        self.claims: list[Any] = []

    def step(self) -> None:
        steps = [
            self.create,
            self.rename,
            self.archive,
            self.touch,
            self.title,
            self.see,
            self.post,
            self.post,
            self.claim,
            self.claim,
            self.finish,
        ]
        others = [self.finish, self.fail, self.give_back, self.write, self.delete, self.forget, self.stop, self.resume]
        self.chance.choice(steps + others)()

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

    def resume(self) -> None:
        self._try(lambda: resume_queue(self.user.id, self._a_chat()))

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
        assert (mirror.chats, mirror.messages) == is_now
        assert mirror.cursor == the_user(user.id).seq


@pytest.mark.parametrize("seed", range(3))
def test_every_number_is_told_by_exactly_one_event_and_stands_in_a_row(
    seed: int, me: FlaskClient, user: User, channel: Channel
) -> None:
    life = Life(user, random.Random(seed))
    for _ in range(40):
        life.step()
    numbers = [event.data["seq"] for event in channel.heard() if event.user_id == user.id]
    assert numbers == list(range(1, the_user(user.id).seq + 1))
    for event in channel.heard():
        if event.name.startswith(("message.", "chat.")) and not event.name.endswith(".deleted"):
            find = the_message if event.name.startswith("message.") else the_chat
            assert find(event.data["id"]).seq >= event.data["seq"], event.name
