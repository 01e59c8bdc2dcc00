"""The schema, the clock and units that write behave alike on both databases."""

import time
from collections.abc import Iterator
from datetime import UTC
from pathlib import Path
from typing import Any

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from flask import Flask
from sqlalchemy import Engine, create_engine, inspect, select, text, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.pool import NullPool

import shared.migrations
from shared.database.clock import db_now, utc_now
from shared.database.migrate import migrate
from shared.database.tables import Base, db
from shared.database.units import commit_lightly, write_unit
from shared.models import User
from shared.models.credits import GRANT, record
from shared.models.user import users
from tests.factories import at_once, clock, money_of, nothing_changes, the_user


@pytest.fixture
def engine(database_url: str) -> Iterator[Engine]:
    engine = create_engine(database_url, poolclass=NullPool)
    yield engine
    engine.dispose()


def differences(engine: Engine) -> list[Any]:
    """The differences from the models. The tables of the search have none, since each database has others."""
    with engine.connect() as connection:
        options = {"include_name": lambda name, kind, _: kind != "table" or not name.startswith("search_")}
        return list(compare_metadata(MigrationContext.configure(connection, opts=options), Base.metadata))


def constraints(engine: Engine, table: str) -> set[str | None]:
    looked_up = inspect(engine)
    found = [*looked_up.get_check_constraints(table), *looked_up.get_unique_constraints(table)]
    return {constraint["name"] for constraint in found}


def test_the_migrations_make_what_the_models_say(engine: Engine) -> None:
    assert differences(engine) == []


def test_the_guards_of_the_database_are_there(engine: Engine) -> None:
    assert {"credits_not_negative", "held_not_negative"} <= constraints(engine, "users")
    assert "one_entry_per_occasion" in constraints(engine, "credit_entries")
    assert "one_use_per_key" in constraints(engine, "idempotency_keys")
    assert "known_status" in constraints(engine, "messages")


def test_migrating_again_changes_nothing(database_url: str, engine: Engine) -> None:
    migrate(database_url)
    assert differences(engine) == []


def test_the_way_down_leads_to_nothing_and_up_again(database_url: str, engine: Engine) -> None:
    config = Config()
    config.set_main_option("script_location", str(Path(shared.migrations.__path__[0])))
    config.attributes["database_url"] = database_url
    command.downgrade(config, "base")
    assert inspect(engine).get_table_names() == ["alembic_version"]
    migrate(database_url)
    assert differences(engine) == []


def test_the_databases_clock_is_a_whole_number_and_right(core: Flask) -> None:
    before = clock()
    assert type(before) is int
    assert abs(before / 1000 - time.time()) < 2
    assert before <= clock()


def test_the_databases_clock_goes_on_inside_a_transaction(core: Flask) -> None:
    with write_unit() as session:
        first = session.execute(select(db_now())).scalar_one()
        while session.execute(select(db_now())).scalar_one() <= first:
            pass


def test_times_come_back_in_utc_to_the_microsecond(user: User) -> None:
    moment = utc_now().replace(microsecond=123_457)
    with write_unit() as session:
        session.execute(update(users).values(disabled_at=moment))
    found = the_user(user.id).disabled_at
    assert found == moment
    assert found.utcoffset() == UTC.utcoffset(None)


def test_an_exception_takes_back_the_whole_unit(user: User) -> None:
    def spoilt() -> None:
        with write_unit() as session:
            session.execute(update(users).values(credits=1, seq=99))
            raise KeyError

    with nothing_changes(), pytest.raises(KeyError):
        spoilt()


def test_no_balance_goes_below_nothing_whatever_the_code_does(user: User) -> None:
    for values in ({"credits": -1}, {"held": -1}):
        with nothing_changes(), pytest.raises(IntegrityError), write_unit() as session:
            session.execute(update(users).values(**values))


def test_what_a_unit_reads_cannot_change_under_it(core: Flask, user: User) -> None:
    def add_one() -> None:
        with write_unit() as session:
            row = session.execute(select(users.c.seq).where(users.c.id == user.id).with_for_update())
            session.execute(update(users).values(seq=row.scalar_one() + 1))

    at_once(core, *[add_one] * 16)
    assert the_user(user.id).seq == 16
    assert money_of(user.id) == (300, 0)


def test_sqlite_waits_for_the_disk(core: Flask) -> None:
    if db.engine.dialect.name == "sqlite":
        found = [db.session.execute(text(f"pragma {name}")).scalar() for name in ("journal_mode", "synchronous")]
        assert found == ["wal", 2]


def test_nothing_belongs_to_nobody(core: Flask) -> None:
    with nothing_changes(), pytest.raises(IntegrityError), write_unit():
        record("01890000-0000-7000-8000-000000000000", GRANT, 1, "a gift")


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_a_light_commit_is_one_transactions_own(core: Flask) -> None:
    setting = text("select current_setting('synchronous_commit')")
    with db.engine.connect() as connection:
        connection.execute(text("set synchronous_commit = on"))
        connection.commit()
        connection.execute(select(commit_lightly()))
        assert connection.scalar(setting) == "off"
        connection.commit()
        assert connection.scalar(setting) == "on"
        connection.invalidate()
