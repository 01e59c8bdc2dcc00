"""Every unit that writes locks the owner's row first. While it waits, it holds no lock that another unit needs.

The order of later locks doesn't matter: the unit is then alone with this owner's chats and messages.
"""

from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import Connection, create_engine, text
from sqlalchemy.pool import NullPool

from shared.actions.accounts.delete import delete_account
from shared.actions.accounts.disable import disable_account
from shared.actions.chats.change import change_chat, see_chat
from shared.actions.chats.delete import delete_chat
from shared.actions.chats.fork import ForkRequest, fork_chat
from shared.actions.messages.accept import Posted
from shared.actions.messages.again import AgainRequest, ask_again
from shared.actions.messages.delete import delete_message
from shared.actions.messages.edit import EditRequest, edit_message
from shared.actions.messages.show import show_version
from shared.actions.queue.parking import resume_queue
from shared.actions.replies.claim import Claim
from shared.actions.replies.finish import Answer, complete_reply, fail_reply
from shared.actions.replies.release import give_back, release_reply
from shared.actions.replies.rescue import expire_overdue, fail_hung, give_turns, rescue_lapsed
from shared.actions.replies.stop import stop_reply
from shared.errors.replies import ModelRejected
from shared.models import ChatSession
from tests.eventually import eventually
from tests.factories import a_claim, a_post, change, meanwhile, past
from tests.integration.messages.versions.conversation import answered

pytestmark = pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)


def claimed(chat: ChatSession) -> Claim:
    return a_claim(a_post(chat))


def parked(chat: ChatSession) -> ChatSession:
    fail_reply(claimed(chat), ModelRejected(), Answer(""))
    return chat


def of(posted: Posted) -> tuple[str, str]:
    """The chat and the reply."""
    assert posted.reply
    return posted.reply.chat_session_id, posted.reply.id


def edited(posted: Posted) -> Posted:
    message = posted.message
    return edit_message(message.owner_id, EditRequest(message.chat_session_id, message.id, "Other"))


def hidden(chat: ChatSession) -> Posted:
    posted = answered(chat)
    again = ask_again(chat.owner_id, AgainRequest("regenerate", *of(posted)))
    stop_reply(chat.owner_id, *of(again))
    return posted


def row(**columns: Any) -> Callable[[ChatSession], Claim]:
    """A claimed reply with these columns, as if time had passed."""

    def make(chat: ChatSession) -> Claim:
        claim = claimed(chat)
        change(claim.id, **columns)
        return claim

    return make


LAPSED, HUNG = {"lease_until": past(1)}, {"deadline_at": past(100)}
OVERDUE = {"status": "pending", "deadline_at": past(1), "lease_until": None}
WITHOUT_A_TURN = {"status": "pending", "dispatched_at": None, "lease_until": None}
# Each verb with the rows that have to be there first.
VERBS: dict[str, tuple[Callable[[ChatSession], Any], Callable[[Any], Any]]] = {
    "post_message": (lambda chat: chat, a_post),
    "ask_again": (answered, lambda posted: ask_again(posted.account.user_id, AgainRequest("regenerate", *of(posted)))),
    "edit_message": (answered, edited),
    "show_version": (hidden, lambda posted: show_version(posted.account.user_id, *of(posted))),
    "fork_chat": (answered, lambda posted: fork_chat(posted.account.user_id, ForkRequest(*of(posted)))),
    "claim_reply": (a_post, a_claim),
    "complete_reply": (claimed, lambda claim: complete_reply(claim, Answer("All of it", finish_reason="stop"))),
    "fail_reply": (claimed, lambda claim: fail_reply(claim, ModelRejected(), Answer(""))),
    "give_back": (claimed, lambda claim: give_back(claim, 0)),
    "release_reply": (claimed, release_reply),
    "stop_reply": (claimed, lambda claim: stop_reply(claim.owner_id, claim.chat_session_id, claim.id)),
    "delete_message": (claimed, lambda claim: delete_message(claim.owner_id, claim.chat_session_id, claim.reply_to)),
    "delete_chat": (claimed, lambda claim: delete_chat(claim.owner_id, claim.chat_session_id)),
    "delete_account": (claimed, lambda claim: delete_account(claim.owner_id)),
    "disable_account": (claimed, lambda claim: disable_account(claim.owner_id)),
    "change_chat": (claimed, lambda claim: change_chat(claim.owner_id, claim.chat_session_id, "Another")),
    "see_chat": (parked, lambda chat: see_chat(chat.owner_id, chat.id, 99)),
    "resume_queue": (parked, lambda chat: resume_queue(chat.owner_id, chat.id)),
    "rescue_lapsed": (row(**LAPSED), lambda _: rescue_lapsed()),
    "fail_hung": (row(**HUNG), lambda _: fail_hung()),
    "expire_overdue": (row(**OVERDUE), lambda _: expire_overdue()),
    "give_turns": (row(**WITHOUT_A_TURN), lambda _: give_turns()),
}


@pytest.fixture
def other(database_url: str) -> Any:
    """Another client with a transaction of its own."""
    engine = create_engine(database_url, poolclass=NullPool)
    with engine.connect() as connection:
        yield connection


def waits(other: Connection) -> bool:
    return bool(other.execute(text("SELECT 1 FROM pg_locks WHERE NOT granted")).first())


@pytest.mark.parametrize("name", VERBS)
def test_a_unit_holds_nothing_while_it_waits_for_the_owner(
    name: str, core: Flask, other: Connection, chat: ChatSession
) -> None:
    prepare, verb = VERBS[name]
    prepared = prepare(chat)
    other.execute(text("SELECT 1 FROM users WHERE id = :id FOR UPDATE"), {"id": chat.owner_id})
    with meanwhile(core, lambda: verb(prepared)):
        try:
            eventually(lambda: waits(other))
            # a lock on a chat or a message would be one half of a deadlock
            for table in ("chat_sessions", "messages"):
                other.execute(text(f"SELECT 1 FROM {table} FOR UPDATE NOWAIT"))
        finally:
            other.rollback()
