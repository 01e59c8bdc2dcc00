"""A database fails in the middle of a unit. The unit is repeated if it was undone, and never done twice."""

from collections.abc import Callable
from typing import Any

import psycopg
import pytest
from flask.testing import FlaskClient
from sqlalchemy import text

from shared.actions.accounts.disable import disable_account
from shared.actions.accounts.sign_ins import begin_sign_in, end_sign_in
from shared.actions.chats.create import create_chat
from shared.actions.chats.delete import delete_chat
from shared.actions.replies.claim import Claim
from shared.actions.replies.finish import Answer, complete_reply, fail_reply
from shared.actions.replies.leases import renew_leases
from shared.actions.replies.release import give_back
from shared.errors.replies import ModelRejected
from shared.models import ChatSession, User
from tests.channel import Channel
from tests.factories import a_chat, a_claim, a_post, a_user, money_of, nothing_changes

pytestmark = pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)


def claimed(chat: ChatSession) -> Claim:
    return a_claim(a_post(chat))


def emptied(chat: ChatSession) -> ChatSession:
    """A chat whose reply is done. Deleting the chat releases no credits."""
    complete_reply(claimed(chat), Answer("All of it"))
    return chat


def a_session(chat: ChatSession) -> tuple[str, str]:
    return begin_sign_in(chat.owner_id), chat.owner_id


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
