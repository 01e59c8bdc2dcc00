"""The schema guards the ledger: entries are only ever added, one of a kind for each occasion."""

from typing import Any

import pytest
from sqlalchemy import delete, text, update
from sqlalchemy.exc import IntegrityError

from shared.actions.replies.finish import Answer, fail_reply
from shared.database.units import execute, write_unit
from shared.errors.replies import ModelRejected
from shared.models import ChatSession, User
from shared.models.credits import GRANT, HOLD, RELEASE, credit_entries, record
from tests.factories import a_claim, a_post, nothing_changes


@pytest.mark.parametrize("statement", [update(credit_entries).values(delta=1), delete(credit_entries)])
def test_the_database_refuses_to_change_or_remove_an_entry(statement: Any, user: User) -> None:
    with nothing_changes(), pytest.raises(IntegrityError, match="append-only"), write_unit():
        execute(statement)


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_the_database_refuses_to_empty_the_ledger(user: User) -> None:
    with nothing_changes(), pytest.raises(IntegrityError, match="append-only"), write_unit():
        execute(text("TRUNCATE credit_entries"))


def test_a_reply_is_held_for_once(user: User, chat: ChatSession) -> None:
    reply = a_post(chat).reply
    with nothing_changes(), pytest.raises(IntegrityError), write_unit():
        record(user.id, HOLD, -3, reply.id)


def test_a_reply_is_released_once(user: User, chat: ChatSession) -> None:
    posted = a_post(chat)
    fail_reply(a_claim(posted), ModelRejected(), Answer(""))
    with nothing_changes(), pytest.raises(IntegrityError), write_unit():
        record(user.id, RELEASE, 3, posted.reply.id)


def test_an_occasion_grants_once(user: User) -> None:
    with nothing_changes(), pytest.raises(IntegrityError), write_unit():
        record(user.id, GRANT, 300, "sign-up")
