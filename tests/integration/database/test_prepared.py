"""Prepared statements behave as SQLAlchemy's own execution does, on both databases."""

import pytest
from flask import Flask
from sqlalchemy import bindparam, insert, select, text, update
from sqlalchemy.exc import IntegrityError, OperationalError

from shared.database.clock import utc_now
from shared.database.prepared import NoRow, Prepared
from shared.database.tables import db
from shared.database.units import execute, query, write_unit
from shared.models import User
from shared.models.credits import GRANT, record
from shared.models.message import MESSAGE, MessageRow, messages
from shared.models.user import users
from tests.factories import a_claim, nothing_changes, the_user

_a_message = select(*MESSAGE).where(messages.c.id == bindparam("message_id"))


def test_rows_hold_what_sqlalchemy_reads(core: Flask) -> None:
    claim = a_claim()

    (prepared,) = query(Prepared(_a_message, MessageRow), {"message_id": claim.id})
    (usual,) = query(_a_message, {"message_id": claim.id})

    assert tuple(prepared) == tuple(usual)
    assert prepared._fields == tuple(usual._fields)
    assert set(prepared._fields) == set(messages.c.keys())
    assert prepared.started_at.tzinfo is not None


def test_values_that_stand_in_the_statement_are_sent_with_the_given_ones(user: User) -> None:
    at = utc_now()
    statement = update(users).where(users.c.id == bindparam("user_id")).values(role="demo", updated_at=bindparam("at"))

    with write_unit():
        assert execute(Prepared(statement, NoRow), {"user_id": user.id, "at": at, "of no use": 1}) == []

    assert (the_user(user.id).role, the_user(user.id).updated_at) == ("demo", at)


def test_a_broken_rule_is_the_error_that_sqlalchemy_raises(user: User) -> None:
    with nothing_changes(), pytest.raises(IntegrityError, match=r"one_entry_per_occasion|UNIQUE"), write_unit():
        record(user.id, GRANT, 1, "sign-up")


def test_a_default_that_only_python_knows_is_refused(core: Flask) -> None:
    with pytest.raises(AssertionError, match=r"would be left out.*role"), write_unit():
        execute(Prepared(insert(users), NoRow, columns=("id", "email")), {"id": "x", "email": "y"})


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_a_connection_that_broke_is_given_up(user: User) -> None:
    def broken_on_the_way() -> None:
        with write_unit() as unit:
            mine = unit.execute(text("select pg_backend_pid()")).scalar()
            with db.engine.connect() as other:
                other.execute(text("select pg_terminate_backend(:pid)"), {"pid": mine})
            execute(Prepared(_a_message, MessageRow), {"message_id": user.id})

    with pytest.raises(OperationalError) as caught:
        broken_on_the_way()

    assert caught.value.connection_invalidated
    assert query(Prepared(_a_message, MessageRow), {"message_id": user.id}) == []
