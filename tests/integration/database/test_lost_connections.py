"""The database cuts connections, vanishes or only reads. The next requests get a connection that works."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import text
from sqlalchemy.exc import OperationalError

from shared.actions.replies.finish import Answer, complete_reply
from shared.database.retries import DATABASE_AWAY
from shared.database.tables import db
from shared.models import ChatSession, User
from tests.eventually import eventually
from tests.factories import a_chat, a_claim, a_post, at_once, signed_in

pytestmark = pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)


NEWCOMER = {"email": "newcomer@example.com", "password": "correct horse battery"}


@contextmanager
def read_only(operator: Any) -> Iterator[None]:
    """Behaves like a demoted server, or one whose disk is full. All clients have to connect anew."""
    name = operator.execute(text("SELECT current_database()")).scalar()
    operator.execute(text(f'ALTER DATABASE "{name}" SET default_transaction_read_only = on'))
    end_all_others(operator)
    yield
    operator.execute(text(f'ALTER DATABASE "{name}" RESET default_transaction_read_only'))


def test_a_server_that_only_reads_is_left_for_one_that_writes(
    operator: Any, me: FlaskClient, chat: ChatSession
) -> None:
    claim = a_claim(a_post())
    post = {"json": {"content": "Hello"}, "headers": {"Idempotency-Key": "k"}}
    with read_only(operator):
        answer = me.post(f"/chats/{chat.id}/messages", **post)
        with pytest.raises(DATABASE_AWAY):
            complete_reply(claim, Answer("All of it", finish_reason="stop"))
        assert me.get("/chats").status_code == 200
        assert me.post("/auth/sign-up", json=NEWCOMER).status_code == 503
    assert me.post("/auth/sign-up", json=NEWCOMER).status_code == 201
    assert (answer.status_code, answer.json["code"]) == (503, "database_unavailable")
    assert answer.headers["Retry-After"] == "2"
    assert me.post(f"/chats/{chat.id}/messages", **post).status_code == 202
    complete_reply(claim, Answer("All of it", finish_reason="stop"))


def test_a_server_that_vanished_without_a_word_is_given_up_in_seconds(core: Flask) -> None:
    with db.engine.connect() as connection:
        driver = connection.connection.dbapi_connection
        assert isinstance(driver, psycopg.Connection)
        asked = driver.info.get_parameters()
    waits = [int(asked[f"keepalives_{name}"]) for name in ("idle", "interval", "count")]
    assert waits[0] + waits[1] * waits[2] <= 25
    assert int(asked["tcp_user_timeout"]) <= 15_000


def end_all_others(operator: Any) -> None:
    operator.execute(
        text("""
        SELECT pg_terminate_backend(pid) FROM pg_stat_activity
        WHERE datname = current_database() AND pid != pg_backend_pid()
        """)
    )
    eventually(
        lambda: (
            operator.execute(text("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()")).scalar()
            == 1
        )
    )


def test_the_first_requests_after_all_connections_were_cut_succeed(
    core: Flask, operator: Any, app: Flask, user: User
) -> None:
    chats, clients = [a_chat(user) for _ in range(6)], [signed_in(app, user) for _ in range(6)]

    def post(number: int) -> int:
        return clients[number].post(f"/chats/{chats[number].id}/messages", json={"content": "Hello"}).status_code

    for _ in range(3):
        with app.app_context():
            held = [db.engine.connect() for _ in range(6)]
            for connection in held:
                connection.execute(text("SELECT 1"))
                connection.close()
        end_all_others(operator)
        assert clients[0].get("/chats").status_code == 200
        assert at_once(core, *[lambda n=n: post(n) for n in range(6)]) == [202] * 6  # type: ignore[misc]


def test_without_the_look_at_checkout_they_would_not(operator: Any, core: Flask) -> None:
    """The cut is real: a client that holds a connection notices."""
    with db.engine.connect() as connection:
        end_all_others(operator)
        with pytest.raises(OperationalError):
            connection.execute(text("SELECT 1"))
