"""A database fails in the middle of a unit. The unit is repeated if it was undone, and never done twice."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Thread
from typing import Any

import psycopg
import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import create_engine, text
from sqlalchemy.exc import OperationalError
from sqlalchemy.pool import NullPool

from shared.actions.accounts.disable import disable_account
from shared.actions.accounts.sign_ins import begin_sign_in, end_sign_in
from shared.actions.chats.create import create_chat
from shared.actions.chats.delete import delete_chat
from shared.actions.replies.claim import Claim
from shared.actions.replies.finish import Answer, complete_reply, fail_reply
from shared.actions.replies.leases import renew_leases
from shared.actions.replies.release import give_back
from shared.database.retries import DATABASE_AWAY
from shared.database.tables import db
from shared.errors.replies import ModelRejected
from shared.models import ChatSession, User
from tests.channel import Channel
from tests.eventually import eventually, joined
from tests.factories import (
    a_chat,
    a_claim,
    a_post,
    a_user,
    at_once,
    change,
    meanwhile,
    money_of,
    nothing_changes,
    past,
    signed_in,
    the_message,
)
from workers.sweeper import sweep

on_postgresql_only = pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
pytestmark = on_postgresql_only


def claimed(chat: ChatSession) -> Claim:
    return a_claim(a_post(chat))


def emptied(chat: ChatSession) -> ChatSession:
    """A chat whose reply is done. Deleting the chat releases no credits."""
    complete_reply(claimed(chat), Answer("All of it"))
    return chat


def a_session(chat: ChatSession) -> tuple[str, str]:
    return begin_sign_in(chat.owner_id), chat.owner_id


NEWCOMER = {"email": "newcomer@example.com", "password": "correct horse battery"}
TROUBLE = {
    "a serialization failure": "RAISE EXCEPTION 'undone' USING ERRCODE = '40001';",
    "a deadlock": "RAISE EXCEPTION 'undone' USING ERRCODE = '40P01';",
    "a lock that is held": "RAISE EXCEPTION 'undone' USING ERRCODE = '55P03';",
    "a broken connection": "PERFORM pg_terminate_backend(pg_backend_pid()); PERFORM pg_sleep(1);",
}
# Each verb with the table that it writes last, and the rows that have to be there first.
VERBS: dict[str, tuple[str, Callable[[ChatSession], Any], Callable[[Any], Any]]] = {
    "post_message": ("messages", lambda chat: chat, a_post),
    "claim_reply": ("messages", a_post, a_claim),
    "complete_reply": ("messages", claimed, lambda claim: complete_reply(claim, Answer("All of it"))),
    "fail_reply": ("credit_entries", claimed, lambda claim: fail_reply(claim, ModelRejected(), Answer(""))),
    "give_back": ("messages", claimed, lambda claim: give_back(claim, 0)),
    "renew_leases": ("messages", claimed, lambda claim: renew_leases([(claim, "So far", 1)])),
    "delete_chat": ("messages", emptied, lambda chat: delete_chat(chat.owner_id, chat.id)),
    "create_chat": ("chat_sessions", lambda chat: chat.owner_id, lambda user_id: create_chat(user_id, None)),
    "create_account": ("users", lambda _: None, lambda _: a_user()),
    "begin_sign_in": ("sign_ins", lambda chat: chat.owner_id, begin_sign_in),
    "end_sign_in": ("revocations", a_session, lambda session: end_sign_in(*session)),
    "disable_account": ("revocations", lambda chat: chat.owner_id, disable_account),
}


@pytest.fixture
def operator(database_url: str) -> Any:
    """An operator with a connection of their own."""
    engine = create_engine(database_url, poolclass=NullPool, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        yield connection


def cause(operator: Any, trouble: str, table: str, times: int, deferred: bool = False) -> None:
    """Have the next writes of this table meet trouble. A sequence counts them, since no rollback undoes a sequence."""
    operator.execute(text("CREATE SEQUENCE met"))
    operator.execute(
        text(f"""
        CREATE FUNCTION trouble() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN IF nextval('met') <= {times} THEN {trouble} END IF; RETURN NEW; END $$
        """)
    )
    kind, when = ("CONSTRAINT TRIGGER", "DEFERRABLE INITIALLY DEFERRED") if deferred else ("TRIGGER", "")
    operator.execute(
        text(f"CREATE {kind} trouble AFTER INSERT OR UPDATE ON {table} {when} FOR EACH ROW EXECUTE FUNCTION trouble()")
    )


def met(operator: Any) -> int:
    return int(operator.execute(text("SELECT last_value FROM met")).scalar())


@pytest.mark.parametrize("name", VERBS)
@pytest.mark.parametrize("trouble", TROUBLE)
def test_a_unit_that_was_undone_is_repeated_and_told_once(
    name: str, trouble: str, operator: Any, chat: ChatSession, channel: Channel
) -> None:
    table, prepare, verb = VERBS[name]
    prepared = [prepare(a_chat(User(id=chat.owner_id))) for _ in range(2)]
    channel.forget()
    verb(prepared[0])
    usual = channel.names()
    cause(operator, TROUBLE[trouble], table, times=2)
    channel.forget()
    verb(prepared[1])
    assert met(operator) > 2
    assert channel.names() == usual


def test_after_three_tries_the_caller_is_told_to_come_back(
    operator: Any, me: FlaskClient, chat: ChatSession, channel: Channel
) -> None:
    cause(operator, TROUBLE["a deadlock"], "messages", times=100)
    with nothing_changes():
        answer = me.post(f"/chats/{chat.id}/messages", json={"content": "Hello"})
    assert (answer.status_code, answer.json["code"]) == (503, "database_unavailable")
    assert answer.headers["Retry-After"] == "2"
    assert met(operator) == 3
    assert channel.named("message.created") == []


@pytest.mark.parametrize("state", ["40001", "40P01", "55P03", "25P03"])
def test_a_commit_that_the_database_refuses_is_repeated(state: str, operator: Any, chat: ChatSession) -> None:
    trouble = f"RAISE EXCEPTION 'undone' USING ERRCODE = '{state}';"
    cause(operator, trouble, "messages", times=1, deferred=True)
    a_post(chat)
    assert money_of(chat.owner_id) == (297, 3)


def test_a_commit_on_which_the_connection_broke_is_not_repeated(
    operator: Any, me: FlaskClient, chat: ChatSession, channel: Channel
) -> None:
    cause(operator, TROUBLE["a broken connection"], "messages", times=1, deferred=True)
    with nothing_changes():
        answer = me.post(f"/chats/{chat.id}/messages", json={"content": "Hello"})
    assert answer.status_code == 503
    assert met(operator) == 1
    assert channel.named("message.created") == []


@pytest.fixture
def lost_answer(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """The database does the next COMMIT of a unit that writes, but the connection breaks before its answer comes."""
    original = psycopg.Connection.commit

    def commit(connection: Any) -> None:
        if connection.autocommit:
            return  # a single statement that only reads
        monkeypatch.setattr(psycopg.Connection, "commit", original)
        original(connection)
        connection.close()
        raise psycopg.OperationalError("server closed the connection unexpectedly")

    return lambda: monkeypatch.setattr(psycopg.Connection, "commit", commit)


def test_a_commit_whose_answer_was_lost_is_done_once_and_the_key_finds_it(
    lost_answer: Callable[[], None], me: FlaskClient, chat: ChatSession
) -> None:
    path, keyed = f"/chats/{chat.id}/messages", {"Idempotency-Key": "k"}
    lost_answer()
    assert me.post(path, json={"content": "Hello"}, headers=keyed).status_code == 503
    again = me.post(path, json={"content": "Hello"}, headers=keyed)
    assert (again.status_code, again.headers["Idempotent-Replayed"]) == (202, "true")
    assert len(me.get(path).json["items"]) == 2
    assert money_of(chat.owner_id) == (297, 3)


def test_without_a_key_it_is_done_once_too(lost_answer: Callable[[], None], me: FlaskClient, chat: ChatSession) -> None:
    lost_answer()
    assert me.post(f"/chats/{chat.id}/messages", json={"content": "Hello"}).status_code == 503
    assert len(me.get(f"/chats/{chat.id}/messages").json["items"]) == 2
    assert money_of(chat.owner_id) == (297, 3)


def test_the_victim_of_a_real_deadlock_has_its_way_at_last(core: Flask, operator: Any, chat: ChatSession) -> None:
    with operator.engine.connect() as other:
        other.execute(text("BEGIN; SET LOCAL deadlock_timeout = '30s'"))  # so that this one is never the victim
        other.execute(text("SELECT 1 FROM chat_sessions WHERE id = :id FOR UPDATE"), {"id": chat.id})
        done: list[Any] = []

        def post() -> None:
            with core.app_context():
                done.append(a_post(chat))

        posting = Thread(target=post)
        posting.start()
        eventually(lambda: operator.execute(text("SELECT 1 FROM pg_locks WHERE NOT granted")).first())
        other.execute(text("SELECT 1 FROM users WHERE id = :id FOR UPDATE"), {"id": chat.owner_id})
        other.execute(text("COMMIT"))
        joined(posting, within=20)
    assert the_message(done[0].reply.id).status == "pending"
    assert money_of(chat.owner_id) == (297, 3)


def test_who_waits_for_a_lock_begins_anew_and_has_it_at_last(
    core: Flask, operator: Any, chat: ChatSession, caplog: pytest.LogCaptureFixture
) -> None:
    operator.execute(text("BEGIN"))
    operator.execute(text("SELECT 1 FROM users WHERE id = :id FOR UPDATE"), {"id": chat.owner_id})
    with meanwhile(core, lambda: a_post(chat)) as posting:
        eventually(lambda: "unit.repeated: LockNotAvailable" in caplog.text)
        operator.execute(text("ROLLBACK"))
        posted = posting.result(10)
    assert the_message(posted.reply.id).status == "pending"
    assert money_of(chat.owner_id) == (297, 3)


def test_a_lock_that_is_held_too_long_answers_503(operator: Any, app: Flask, user: User, chat: ChatSession) -> None:
    operator.execute(text("BEGIN"))
    operator.execute(text("SELECT 1 FROM users WHERE id = :id FOR UPDATE"), {"id": user.id})
    answer = signed_in(app, user).post(f"/chats/{chat.id}/messages", json={"content": "Hello"})
    operator.execute(text("ROLLBACK"))
    assert (answer.status_code, answer.json["code"], answer.headers["Retry-After"]) == (
        503,
        "database_unavailable",
        "2",
    )
    assert money_of(user.id) == (300, 0)


def test_a_sweep_leaves_whom_somebody_holds_and_goes_on_with_all_others(
    operator: Any, user: User, caplog: pytest.LogCaptureFixture
) -> None:
    others = [a_claim(a_post()) for _ in range(4)]
    theirs = [a_claim(a_post(a_chat(user))) for _ in range(2)]
    for claim in others + theirs:
        change(claim.id, lease_until=past(1))
    operator.execute(text("BEGIN"))
    operator.execute(text("SELECT 1 FROM users WHERE id = :id FOR UPDATE"), {"id": user.id})
    assert sweep(), "the database was there, so that leases are looked after in the next sweep too"
    operator.execute(text("ROLLBACK"))
    assert {the_message(claim.id).status for claim in others} == {"pending"}
    assert {the_message(claim.id).status for claim in theirs} == {"running"}
    assert caplog.text.count("sweeper.row_held") == 1, "they are waited for once a sweep"
    sweep()
    assert {the_message(claim.id).status for claim in theirs} == {"pending"}


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
