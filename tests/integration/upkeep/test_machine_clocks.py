"""The database's clock decides about age. A machine whose clock is days off forgets nothing too early."""

import time
from datetime import timedelta

import pytest
from flask import Flask
from redis import Redis

from shared.actions.accounts.disable import disable_account
from shared.actions.accounts.sign_ins import begin_sign_in
from shared.actions.chats.delete import delete_chat
from shared.actions.upkeep.copy_revocations import copy_revocations
from shared.database.clock import utc_now
from shared.models import ChatSession, User
from shared.settings import Settings
from tests.edge.clocks.set_clocks import Clocks
from tests.factories import a_post, nothing_changes
from workers.sweeper import clean


@pytest.fixture
def days_off(monkeypatch: pytest.MonkeyPatch) -> "DaysOff":
    return DaysOff(monkeypatch)


class DaysOff:
    """Sets the machine's clock wrong, as the programs read it. The database's clock stays right."""

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        self._patch = patch

    def __call__(self, days: float) -> None:
        Clocks(self._patch, ()).set_machine(days * 86_400)

    def no_more(self) -> None:
        self._patch.undo()


def test_the_clock_of_these_tests_is_wrong(core: Flask, days_off: DaysOff) -> None:
    before = utc_now(), time.time()
    days_off(2)
    assert utc_now() - before[0] > timedelta(days=1.9)
    assert time.time() - before[1] > 1.9 * 24 * 3600


@pytest.mark.parametrize(("posting", "sweeping"), [(0, 100), (-100, 0), (100, -100)])
def test_a_post_sent_again_finds_its_key(posting: int, sweeping: int, chat: ChatSession, days_off: DaysOff) -> None:
    days_off(posting)
    first = a_post(chat, key="k")
    days_off.no_more()
    days_off(sweeping)
    clean()
    days_off.no_more()
    again = a_post(chat, key="k")
    assert (again.replayed, again.message.id) == (True, first.message.id)


def test_what_is_younger_than_its_life_is_kept(
    chat: ChatSession, user: User, days_off: DaysOff, settings: Settings
) -> None:
    a_post(chat)
    delete_chat(user.id, chat.id)
    begin_sign_in(user.id)
    days_off(100)
    assert settings.refresh_token_seconds < 100 * 24 * 3600
    with nothing_changes():
        assert not clean()


def test_a_token_that_was_revoked_stays_so(core: Flask, user: User, days_off: DaysOff, redis_url: str) -> None:
    disable_account(user.id)
    days_off(1)
    with nothing_changes(), Redis.from_url(redis_url) as redis:
        copied = redis.hgetall("holdfast:test:revoked")
        assert copy_revocations() == 0
        assert redis.hgetall("holdfast:test:revoked") == copied
        redis.flushall()
        assert copy_revocations() == 1
        assert redis.hgetall("holdfast:test:revoked") == copied
