"""Credits over REST: the balance, the ledger in pages, and the cost that each message shows."""

from uuid import uuid4

from flask import Flask
from flask.testing import FlaskClient

from api.access import tokens
from shared.actions.replies.finish import Answer, complete_reply, fail_reply
from shared.actions.replies.rescue import expire_overdue
from shared.errors.replies import ModelRejected
from shared.models import ChatSession, User
from tests.factories import a_chat, a_claim, a_post, a_user, change, past, signed_in


def cost(me: FlaskClient, chat: ChatSession, message_id: str) -> dict[str, int]:
    return dict(me.get(f"/chats/{chat.id}/messages/{message_id}").json["credits"])


def test_the_balance_and_what_is_held(me: FlaskClient, chat: ChatSession) -> None:
    assert me.get("/credits").json == {"balance": 300, "held": 0}
    claim = a_claim(a_post(chat))
    assert me.get("/credits").json == {"balance": 297, "held": 3}
    complete_reply(claim, Answer("Done", finish_reason="stop"))
    assert me.get("/credits").json == {"balance": 297, "held": 0}


def test_a_token_that_outlived_its_user_is_refused(app: Flask) -> None:
    client = app.test_client()
    token = tokens.issue(app.config["HOLDFAST"].secret_key, tokens.ACCESS, str(uuid4()), 60)
    assert client.get("/credits", headers={"Authorization": f"Bearer {token}"}).status_code == 401


def test_entries_are_listed_newest_first_and_add_up(me: FlaskClient, chat: ChatSession) -> None:
    posted = a_post(chat)
    fail_reply(a_claim(posted), ModelRejected(), Answer(""))
    answer = me.get("/credits/entries").json
    assert [(e["kind"], e["delta"], e["messageId"]) for e in answer["items"]] == [
        ("release", 3, posted.reply.id),
        ("hold", -3, posted.reply.id),
        ("grant", 300, None),
    ]
    assert set(answer["items"][0]) == {"id", "delta", "kind", "messageId", "createdAt"}
    assert answer["nextCursor"] is None
    assert sum(entry["delta"] for entry in answer["items"]) == me.get("/credits").json["balance"]


def test_pages_hold_each_entry_once_whatever_is_added_meanwhile(me: FlaskClient, chat: ChatSession) -> None:
    for _ in range(6):
        a_post(chat)
    whole = [entry["id"] for entry in me.get("/credits/entries").json["items"]]
    found, cursor = [], ""
    while cursor is not None:
        page = me.get("/credits/entries", query_string={"limit": 3} | ({"cursor": cursor} if cursor else {})).json
        found += [entry["id"] for entry in page["items"]]
        cursor = page["nextCursor"]
        a_post(chat)
    assert found == whole
    assert len(found) == 7


def test_a_cursor_that_is_none_is_refused(me: FlaskClient) -> None:
    for cursor in ("x", "WzFd", "e30"):
        answer = me.get("/credits/entries", query_string={"cursor": cursor})
        assert (answer.status_code, list(answer.json["errors"])) == (422, ["cursor"])


def test_nobody_sees_the_entries_of_others(app: Flask, me: FlaskClient, chat: ChatSession) -> None:
    a_post(chat)
    other = signed_in(app, a_user())
    assert [entry["kind"] for entry in other.get("/credits/entries").json["items"]] == ["grant"]
    cursor = me.get("/credits/entries?limit=1").json["nextCursor"]
    assert {e["kind"] for e in other.get(f"/credits/entries?cursor={cursor}").json["items"]} <= {"grant"}


def test_a_message_says_what_it_cost_in_every_state(me: FlaskClient, user: User) -> None:
    chats = [a_chat(user) for _ in range(3)]
    completed, failed = a_post(chats[0]), a_post(chats[1])
    waiting = a_post(chats[2])
    held = {"held": 3, "charged": 0, "released": 0}
    assert cost(me, chats[0], completed.reply.id) == held
    assert cost(me, chats[0], completed.message.id) == {"held": 0, "charged": 0, "released": 0}
    claim, other = a_claim(completed), a_claim(failed)
    assert cost(me, chats[0], completed.reply.id) == held
    complete_reply(claim, Answer("Done", finish_reason="stop"))
    assert cost(me, chats[0], completed.reply.id) == {"held": 0, "charged": 3, "released": 0}
    change(waiting.reply.id, dispatched_at=None, deadline_at=past(1))
    expire_overdue()
    fail_reply(other, ModelRejected(), Answer("Half"))
    for chat, reply in ((chats[1], failed.reply), (chats[2], waiting.reply)):
        assert cost(me, chat, reply.id) == {"held": 0, "charged": 0, "released": 3}
