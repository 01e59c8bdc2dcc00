"""The user, chat and parts that most integration tests need. After each test with a core, the money must add up."""

import os
from collections.abc import Iterator

import pytest
from flask import Flask
from flask.testing import FlaskClient
from redis import Redis

from shared.actions.credits.reconcile import reconcile
from shared.core import current_link
from shared.models import ChatSession, User
from shared.settings import Settings
from tests.channel import Channel
from tests.factories import a_chat, a_user, assert_money_adds_up, signed_in
from tests.run import holdfast as command
from tests.run.holdfast import Done, Run
from tests.services.guard import Guard
from workers.providers.openai_client import OpenAIProvider
from workers.relay import Relay
from workers.reply import Desk
from workers.watchdog import Watchdog


@pytest.fixture
def user(core: Flask) -> User:
    return a_user()


@pytest.fixture
def chat(user: User) -> ChatSession:
    return a_chat(user)


@pytest.fixture
def me(app: Flask, user: User) -> FlaskClient:
    """A client that is signed in as `user`."""
    return signed_in(app, user)


@pytest.fixture
def channel(core: Flask, settings: Settings) -> Iterator[Channel]:
    with Channel(current_link(), settings.redis_url) as channel:
        yield channel


@pytest.fixture
def redis(settings: Settings) -> Iterator[Redis]:
    """The test's own look into Redis."""
    with Redis.from_url(settings.redis_url, decode_responses=True) as redis:
        yield redis


@pytest.fixture
def holdfast(guard: Guard, settings: Settings) -> Run:
    """`holdfast("disable", EMAIL)` runs this command. `holdfast up` sets `SECRET_KEY` for its own programs only."""

    def run(*words: str, without: tuple[str, ...] = ()) -> Done:
        kept = {name: value for name, value in os.environ.items() if name not in ("SECRET_KEY", *without)}
        return command.holdfast(guard, list(words), kept)

    return run


@pytest.fixture
def desk(core: Flask, settings: Settings) -> Iterator[Desk]:
    """The parts with which a worker process writes replies. They are real, but ask the fake model."""
    provider = OpenAIProvider(settings)
    desk = Desk(provider, Relay(current_link()), Watchdog(core, settings))
    desk.relay.start()
    desk.watchdog.start()
    yield desk
    provider._client.close()


@pytest.fixture(autouse=True)
def money_adds_up(request: pytest.FixtureRequest) -> Iterator[None]:
    """Asks for the core first, so that the core still stands when the money is checked."""
    checked = "core" in request.fixturenames
    if checked:
        request.getfixturevalue("core")
    yield
    if checked:
        assert_money_adds_up()
        assert list(reconcile()) == []
