"""Chats change at random. A client that asks GET /sync at any moments has the server's rows in the end."""

import random
from typing import Any

import pytest
from flask.testing import FlaskClient

from shared.models import User
from tests.channel import Channel
from tests.factories import the_chat, the_message, the_user
from tests.integration.http.life import Life
from tests.integration.http.mirror import Mirror


def as_it_is(me: FlaskClient) -> tuple[dict[str, Any], dict[str, Any]]:
    """All chats and messages, as the lists show them, without the places in the queue (D-156)."""
    pages = [me.get(f"/chats?limit=200&archived={kind}").json for kind in ("true", "false")]
    chats = {chat["id"]: chat for page in pages for chat in page["items"]}
    lists = [me.get(f"/chats/{chat}/messages?limit=200").json["items"] for chat in chats]
    return chats, {message["id"]: message | {"queue": None} for items in lists for message in items}


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
