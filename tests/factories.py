"""Makes the users, chats, posts and claims that tests start from. Reads rows, and checks that the money adds up."""

import threading
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any, TypeVar
from uuid import uuid4

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import Row, select, update

from api.access import tokens
from shared.actions.accounts.create import create_account
from shared.actions.chats.create import create_chat
from shared.actions.messages.accept import Posted
from shared.actions.messages.idempotency import PostRequest
from shared.actions.messages.post import post_message
from shared.actions.replies.claim import Claim, claim_reply
from shared.database.clock import db_now
from shared.database.tables import Base, db
from shared.database.units import write_unit
from shared.models import ChatSession, User
from shared.models.chat import chat_sessions
from shared.models.credits import credit_entries
from shared.models.message import messages
from shared.models.status import FINAL, Status
from shared.models.user import users
from shared.text import shows_nothing
from tests.eventually import patience

T = TypeVar("T")

#: For tests that do not depend on the database: one kind is enough.
on_sqlite_only = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


def a_user() -> User:
    return create_account(f"{uuid4().hex}@example.org", "no password fits this")


def a_chat(user: User | None = None) -> ChatSession:
    return create_chat((user or a_user()).id, None)


def a_post(chat: ChatSession | None = None, content: str = "Hello", key: str | None = None) -> Posted:
    chat = chat or a_chat()
    return post_message(chat.owner_id, PostRequest(chat.id, content), key)


def a_claim(posted: Posted | None = None) -> Claim:
    claim = claim_reply((posted or a_post()).reply.id, "a worker")
    assert claim
    return claim


def signed_in(app: Flask, user: User) -> FlaskClient:
    """A client that sends the user's access token."""
    client = app.test_client()
    token = tokens.issue(app.config["HOLDFAST"].secret_key, tokens.ACCESS, user.id, 60)
    client.environ_base["HTTP_AUTHORIZATION"] = f"Bearer {token}"
    return client


def the_message(message_id: str) -> Row[Any]:
    return _fresh(select(messages).where(messages.c.id == message_id))


def the_chat(chat_id: str) -> Row[Any]:
    return _fresh(select(chat_sessions).where(chat_sessions.c.id == chat_id))


def the_user(user_id: str) -> Row[Any]:
    return _fresh(select(users).where(users.c.id == user_id))


def money_of(user_id: str) -> tuple[int, int]:
    """The credits left to spend, and the credits held."""
    user = the_user(user_id)
    return user.credits, user.held


def change(message_id: str, **columns: Any) -> None:
    """Put values into a row, as if time had passed or a program had died."""
    with write_unit() as session:
        session.execute(update(messages).where(messages.c.id == message_id).values(**columns))


def past(seconds: float) -> Any:
    """A moment that many seconds ago on the database's clock. A negative number lies ahead."""
    return db_now() - int(seconds * 1000)


def clock() -> int:
    """The database's clock, in milliseconds."""
    return int(_fresh(select(db_now()))[0])


def everything() -> dict[str, list[tuple[Any, ...]]]:
    """All rows of all tables. A test compares them to see that nothing has changed."""
    db.session.rollback()
    found = {
        name: sorted((tuple(row) for row in db.session.execute(select(table))), key=repr)
        for name, table in Base.metadata.tables.items()
    }
    db.session.rollback()
    return found


@contextmanager
def nothing_changes() -> Iterator[None]:
    before = everything()
    yield
    assert everything() == before


def at_once(core: Flask, *calls: Callable[[], T]) -> list[T]:
    """Run all calls at the same moment, each in its own thread and app context. Returns their results."""
    start = threading.Barrier(len(calls))

    def run(call: Callable[[], T]) -> T:
        with core.app_context():
            start.wait(patience(10))
            return call()

    with ThreadPoolExecutor(len(calls)) as pool:
        return list(pool.map(run, calls))


@contextmanager
def meanwhile(core: Flask, call: Callable[[], T]) -> Iterator[Future[T]]:
    """Run the call beside the block, and wait for its end after the block."""

    def run() -> T:
        with core.app_context():
            return call()

    with ThreadPoolExecutor(1) as pool:
        future = pool.submit(run)
        yield future
        future.result(20)


def assert_money_adds_up() -> None:
    """Ledger and replies give each user's balance and held. Each reply has the entries that its state calls for."""
    db.session.rollback()
    ledger, held, due = Counter[str](), Counter[str](), Counter[tuple[str, str, int]]()
    entries = db.session.execute(select(credit_entries)).all()
    for entry in entries:
        ledger[entry.user_id] += entry.delta
    for reply in db.session.execute(select(messages).where(messages.c.reply_to.is_not(None))):
        price, final = reply.credits_held, reply.status in FINAL
        if price == 0:  # a copy in a forked chat
            continue
        # a stopped reply that kept its text costs as much as a completed one
        charged = reply.status == Status.COMPLETED or (reply.status == Status.CANCELLED and reply.credits_charged > 0)
        held[reply.owner_id] += 0 if final else price
        due[reply.id, "hold", -price] += 1
        due[reply.id, "release", price] += final and not charged
        assert reply.credits_charged == (price if charged else 0), reply
        own_text = not shows_nothing(reply.content[reply.kept :])
        assert not (reply.status == Status.CANCELLED and own_text and not charged), reply
    for user in db.session.execute(select(users)):
        assert (user.credits, user.held) == (ledger[user.id], held[user.id]), user
        assert user.credits >= 0, user
    assert Counter((e.ref, e.kind, e.delta) for e in entries if e.kind != "grant") == +due
    db.session.rollback()


def _fresh(query: Any) -> Row[Any]:
    db.session.rollback()
    row = db.session.execute(query).one()
    db.session.rollback()
    return row  # type: ignore[no-any-return]
