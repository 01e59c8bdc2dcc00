"""A second message while a reply of its chat is open: it waits, is rejected, or interrupts."""

from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import update

from shared.actions.replies.finish import Answer, complete_reply
from shared.database.units import execute, write_unit
from shared.models import ChatSession, User
from shared.models.chat import chat_sessions
from tests.factories import a_chat, a_claim, a_post, nothing_changes, the_message
from tests.integration.queue.waiting.asking import ask


def remember(chat: ChatSession, **settings: Any) -> None:
    with write_unit():
        execute(update(chat_sessions).where(chat_sessions.c.id == chat.id).values(settings=settings))


@pytest.mark.parametrize("rule", [None, "queue"])
def test_by_default_a_second_message_waits_for_its_turn(rule: str | None, me: FlaskClient, chat: ChatSession) -> None:
    first = a_post(chat)
    answer = ask(me, chat, rule)
    assert answer.status_code == 202
    assert the_message(first.reply.id).status == "pending"
    assert the_message(answer.json["reply"]["id"]).dispatched_at is None


@pytest.mark.parametrize("state", ["waits", "runs"])
def test_a_rejected_message_names_the_first_open_reply_and_costs_nothing(
    state: str, me: FlaskClient, chat: ChatSession
) -> None:
    first = a_post(chat)
    if state == "runs":
        a_claim(first)
    a_post(chat)
    with nothing_changes():
        answer = ask(me, chat, "reject", key="once")
    assert (answer.status_code, answer.json["code"]) == (409, "chat_busy")
    assert (answer.json["messageId"], answer.json["retryable"]) == (first.reply.id, True)


@pytest.mark.parametrize("rule", ["reject", "interrupt"])
def test_in_a_chat_without_an_open_reply_every_rule_is_the_same(
    rule: str, me: FlaskClient, chat: ChatSession, user: User
) -> None:
    complete_reply(a_claim(a_post(chat)), Answer("Done"))
    elsewhere = a_post(a_chat(user))
    assert ask(me, chat, rule).status_code == 202
    assert the_message(elsewhere.reply.id).status == "pending"


@pytest.mark.parametrize("rule", ["reject", "interrupt"])
def test_a_known_key_is_answered_before_the_rule(rule: str, me: FlaskClient, chat: ChatSession) -> None:
    first = ask(me, chat, rule, key="once")
    with nothing_changes():
        again = ask(me, chat, rule, key="once")
    assert (again.status_code, again.headers["Idempotent-Replayed"]) == (202, "true")
    assert again.json["reply"]["id"] == first.json["reply"]["id"]


def test_another_rule_with_the_same_key_is_another_request(me: FlaskClient, chat: ChatSession) -> None:
    ask(me, chat, "queue", key="once")
    assert ask(me, chat, "reject", key="once").json["code"] == "idempotency_key_reused"


@pytest.mark.parametrize(
    ("stored", "asked", "status"),
    [
        ("reject", None, 409),
        ("reject", "queue", 202),
        ("queue", "reject", 409),
        ("nonsense", None, 202),
        ([], None, 202),
    ],
)
def test_the_rule_of_a_post_comes_before_that_of_its_chat(
    stored: Any, asked: str | None, status: int, me: FlaskClient, chat: ChatSession
) -> None:
    remember(chat, whenBusy=stored, instructions="Be brief")
    a_post(chat)
    assert ask(me, chat, asked).status_code == status


@pytest.mark.parametrize("rule", ["", "Queue", "later", 1, True, ["queue"]])
def test_an_unknown_rule_is_refused(rule: Any, me: FlaskClient, chat: ChatSession) -> None:
    with nothing_changes():
        answer = ask(me, chat, rule)
    assert (answer.status_code, list(answer.json["errors"])) == (422, ["whenBusy"])
