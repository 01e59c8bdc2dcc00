"""The sweeper keeps Redis's copy of the revocations, and forgets each in time."""

import time

from flask import Flask
from redis import Redis
from sqlalchemy import insert

from shared.actions.accounts.disable import disable_account, enable_account
from shared.actions.accounts.sign_ins import begin_sign_in, end_sign_in
from shared.core import current_link
from shared.database.units import execute, write_unit
from shared.models import User
from shared.models.revocation import revocations
from shared.redis.revocations import LEEWAY, of_session, of_user, read_revocations
from shared.settings import Settings
from tests.factories import a_user, nothing_changes
from tests.integration.accounts.stored import HASH, copied, rows
from workers.sweeper import sweep


def revoked(subject: str, ago: float) -> None:
    """Add a revocation whose last void second was `ago` seconds ago."""
    with write_unit():
        execute(insert(revocations), {"subject": subject, "void_until": int(time.time() - ago)})


def test_what_is_revoked_stands_in_redis_at_once(core: Flask, user: User, redis: Redis) -> None:
    session_id = begin_sign_in(user.id)
    end_sign_in(session_id, user.id)
    disable_account(user.id)
    assert copied(redis) == rows()
    assert rows().keys() == {of_session(session_id), of_user(user.id)}
    assert all(0 <= until - time.time() - LEEWAY + 5 <= 5 for until in rows().values())


def test_a_sweep_writes_again_what_redis_lost(core: Flask, user: User, redis: Redis) -> None:
    disable_account(user.id)
    end_sign_in(begin_sign_in(other := a_user().id), other)
    redis.flushall()
    sweep()
    assert copied(redis) == rows()
    enable_account(user.id)
    redis.hset(HASH, of_user(user.id), int(time.time()) + 100)  # as if Redis had been away at that moment
    sweep()
    assert copied(redis) == rows()
    assert rows()[of_user(user.id)] < time.time()


def test_a_sweep_with_nothing_new_writes_nothing(core: Flask, user: User, redis: Redis) -> None:
    disable_account(user.id)
    sweep()
    with nothing_changes():
        before = redis.info("commandstats")["cmdstat_hset"]["calls"]
        sweep()
        assert redis.info("commandstats")["cmdstat_hset"]["calls"] == before


def test_it_is_forgotten_once_no_token_that_it_means_can_live(core: Flask, settings: Settings, redis: Redis) -> None:
    life = settings.access_token_seconds + LEEWAY
    revoked("session:old", life + 5)
    revoked("session:young", life - 30)
    redis.hset(HASH, mapping={"session:old": int(time.time()) - life - 5, "user:lost row": int(time.time()) - life - 5})
    redis.hset(HASH, "session:told just now", int(time.time()))  # its row was committed after the sweep's reading
    sweep()
    assert rows().keys() == {"session:young"}
    assert copied(redis).keys() == {"session:young", "session:told just now"}


def test_what_strangers_write_into_the_copy_stops_nobody(core: Flask, user: User, redis: Redis) -> None:
    redis.hset(HASH, mapping={"session:x": "no number", b"\xff": "7"})  # type: ignore[dict-item]
    disable_account(user.id)
    redis.hset(HASH, of_user(user.id), "-1e9")
    sweep()
    assert (read_revocations(current_link()) or {})[of_user(user.id)] == rows()[of_user(user.id)]


def test_a_number_that_is_too_long_to_read_is_overlooked(core: Flask, user: User, redis: Redis) -> None:
    disable_account(user.id)
    redis.hset(HASH, mapping={of_user(user.id): "9" * 5_000, "session:x": "9" * 12})
    assert sweep()
    assert read_revocations(current_link()) == rows()


def test_a_sweep_puts_the_copy_where_another_type_of_value_was(core: Flask, user: User, redis: Redis) -> None:
    redis.set(HASH, "of another type")
    disable_account(user.id)
    assert read_revocations(current_link()) is None
    assert sweep()
    assert copied(redis) == rows()
    with nothing_changes():
        assert sweep()


def test_enabling_again_signs_nobody_out_who_came_back_in_between(core: Flask, user: User, redis: Redis) -> None:
    revoked(of_user(user.id), ago=10)  # disabled, and enabled nine seconds ago
    before = rows()
    enable_account(user.id)
    assert rows() == before
    assert copied(redis) == {}
