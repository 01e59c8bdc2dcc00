"""Many posts at the same moment: one message for each key, and never more than the balance covers."""

import threading
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, select

from shared.database.tables import db
from shared.models import ChatSession, User
from shared.models.message import messages
from tests.eventually import patience
from tests.factories import a_chat, a_post, a_user, money_of, signed_in, the_user


def together(count: int, call: Callable[[int], Any]) -> list[Any]:
    start = threading.Barrier(count)

    def run(number: int) -> Any:
        start.wait(patience(10))
        return call(number)

    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(run, range(count)))


def stored() -> int:
    db.session.rollback()
    return db.session.scalars(select(func.count()).select_from(messages)).one()


def test_thirty_posts_with_one_key_store_one_message(app: Flask, user: User, chat: ChatSession) -> None:
    headers = {"Idempotency-Key": "the same"}
    clients = [signed_in(app, user) for _ in range(30)]
    path = f"/chats/{chat.id}/messages"
    answers = together(30, lambda n: clients[n].post(path, json={"content": "Hello"}, headers=headers))
    assert {answer.status_code for answer in answers} == {202}
    assert len({(a.json["message"]["id"], a.json["reply"]["id"]) for a in answers}) == 1
    assert sum("Idempotent-Replayed" not in answer.headers for answer in answers) == 1
    assert stored() == 2
    assert money_of(user.id) == (297, 3)


@pytest.mark.settings(signup_credits=3)
def test_posts_with_one_key_are_all_answered_even_if_the_balance_covers_one(
    app: Flask, user: User, chat: ChatSession
) -> None:
    headers, clients = {"Idempotency-Key": "k"}, [signed_in(app, user) for _ in range(10)]
    path = f"/chats/{chat.id}/messages"
    answers = together(10, lambda n: clients[n].post(path, json={"content": "Hello"}, headers=headers))
    assert {answer.status_code for answer in answers} == {202}
    assert stored() == 2


@pytest.mark.settings(signup_credits=20)
def test_no_more_posts_are_taken_than_the_balance_covers(app: Flask, user: User) -> None:
    chats, clients = [a_chat(user) for _ in range(4)], [signed_in(app, user) for _ in range(16)]
    body = {"content": "Hello"}
    answers = together(16, lambda n: clients[n].post(f"/chats/{chats[n % 4].id}/messages", json=body))
    assert Counter(answer.status_code for answer in answers) == {202: 6, 402: 10}
    assert stored() == 12
    assert money_of(user.id) == (2, 18)


def test_parallel_posts_take_numbers_and_places_without_gap_or_double(
    app: Flask, user: User, chat: ChatSession
) -> None:
    before = the_user(user.id).seq
    clients = [signed_in(app, user) for _ in range(12)]
    answers = together(12, lambda n: clients[n].post(f"/chats/{chat.id}/messages", json={"content": str(n)}))
    found = [message for answer in answers for message in (answer.json["message"], answer.json["reply"])]
    assert sorted(message["position"] for message in found) == list(range(24))
    assert the_user(user.id).seq == before + 36
    # each post took three numbers in a row: for its message, its reply and its credits
    assert sorted(m["seq"] for m in found) == [before + n for n in range(1, 37) if n % 3]


@pytest.mark.settings(max_waiting_replies=5)
def test_parallel_posts_do_not_pass_the_limit_of_waiting_replies(app: Flask, user: User, chat: ChatSession) -> None:
    clients = [signed_in(app, user) for _ in range(12)]
    answers = together(12, lambda n: clients[n].post(f"/chats/{chat.id}/messages", json={"content": "Hello"}))
    assert Counter(answer.status_code for answer in answers) == {202: 5, 429: 7}


def test_users_do_not_wait_for_each_other_or_mix(app: Flask, core: Flask) -> None:
    people = [a_user() for _ in range(8)]
    chats, clients = [a_chat(person) for person in people], [signed_in(app, person) for person in people]
    answers = together(8, lambda n: clients[n].post(f"/chats/{chats[n].id}/messages", json={"content": "Hello"}))
    assert [answer.json["reply"]["userId"] for answer in answers] == [person.id for person in people]
    assert a_post(chats[0]).account.credits == 294
