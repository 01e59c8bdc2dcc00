"""Posting a message: 202 keeps its promises, one commit stores all of it, and the open tabs hear of it."""

from typing import Any
from uuid import uuid4

import pytest
from flask import Flask
from flask.testing import FlaskClient
from redis import Redis
from sqlalchemy import select

from shared.database.tables import db
from shared.models import ChatSession, User
from shared.models.credits import credit_entries
from shared.settings import Settings
from tests.channel import Channel
from tests.factories import a_post, change, clock, money_of, nothing_changes, past, the_chat, the_message, the_user
from workers.reply import Desk, write_reply


def post(me: FlaskClient, chat: ChatSession, content: str = "Hello", key: str | None = None) -> Any:
    headers = {"Idempotency-Key": key} if key else {}
    return me.post(f"/chats/{chat.id}/messages", json={"content": content}, headers=headers)


def test_the_answer_holds_both_messages_and_the_credits(
    me: FlaskClient, chat: ChatSession, user: User, settings: Settings
) -> None:
    answer = post(me, chat, "  What is *this*? 🙂\n")
    message, reply = answer.json["message"], answer.json["reply"]
    assert answer.status_code == 202
    assert answer.json["credits"] == {"balance": 297, "held": 3}
    common = {"chatSessionId": chat.id, "userId": user.id, "version": 1, "attempt": 0, "error": None}
    assert (
        message.items()
        >= {
            **common,
            "messageType": "user",
            "status": "completed",
            "role": "user",
            "content": "  What is *this*? 🙂\n",
            "replyTo": None,
            "position": 0,
            "credits": {"held": 0, "charged": 0, "released": 0},
        }.items()
    )
    assert (
        reply.items()
        >= {
            **common,
            "messageType": "ai_report",
            "status": "pending",
            "role": "assistant",
            "content": "",
            "replyTo": message["id"],
            "position": 1,
            "model": settings.model,
            "credits": {"held": 3, "charged": 0, "released": 0},
            "tokens": {"input": None, "output": None},
            "startedAt": None,
            "completedAt": None,
        }.items()
    )


def test_one_commit_stores_messages_hold_and_numbers(me: FlaskClient, chat: ChatSession, user: User) -> None:
    before = the_user(user.id).seq
    answer = post(me, chat).json
    message, reply = the_message(answer["message"]["id"]), the_message(answer["reply"]["id"])
    assert (message.seq, reply.seq, the_user(user.id).seq) == (before + 1, before + 2, before + 3)
    assert (the_chat(chat.id).seq, the_chat(chat.id).next_position) == (reply.seq, 2)
    assert money_of(user.id) == (297, 3)
    entry = db.session.execute(select(credit_entries).where(credit_entries.c.kind == "hold")).one()
    assert (entry.user_id, entry.delta, entry.ref) == (user.id, -3, reply.id)
    assert reply.dispatched_at <= clock() < reply.deadline_at


def test_posts_of_one_chat_go_on_where_the_last_ended(me: FlaskClient, chat: ChatSession) -> None:
    answers = [post(me, chat).json for _ in range(3)]
    found = [(a["message"]["position"], a["reply"]["position"], a["reply"]["replyTo"]) for a in answers]
    assert found == [(2 * n, 2 * n + 1, a["message"]["id"]) for n, a in enumerate(answers)]
    sequence = [m["seq"] for a in answers for m in (a["message"], a["reply"])]
    assert sequence == sorted(set(sequence))


def test_the_events_equal_the_rest_shapes(me: FlaskClient, chat: ChatSession, user: User, channel: Channel) -> None:
    answer = post(me, chat).json
    places = {
        answer[which]["id"]: answer[which].pop("queue") for which in ("message", "reply")
    }  # not in events (D-156)
    heard = channel.heard()
    assert {event.user_id for event in heard} == {user.id}
    assert [event.name for event in heard] == ["message.created", "message.created", "credits.changed"]
    message, reply, credits_changed = (event.data for event in heard)
    assert (message, reply) == (answer["message"], answer["reply"])
    assert credits_changed == {**answer["credits"], "seq": reply["seq"] + 1}
    for told in (message, reply):
        assert me.get(f"/chats/{chat.id}/messages/{told['id']}").json == told | {"queue": places[told["id"]]}


def test_the_job_is_on_the_queue_once_and_carries_the_id_alone(
    me: FlaskClient, chat: ChatSession, settings: Settings
) -> None:
    reply = post(me, chat).json["reply"]
    with Redis.from_url(settings.redis_url, decode_responses=True) as redis:
        assert redis.llen("holdfast:test:queue:replies") == 1
        (job,) = redis.hvals("holdfast:test:queue:replies.msgs")
    assert reply["id"] in job
    assert "Hello" not in job


def test_a_reply_without_a_turn_is_not_on_the_queue(me: FlaskClient, chat: ChatSession, settings: Settings) -> None:
    post(me, chat)
    post(me, chat)
    with Redis.from_url(settings.redis_url) as redis:
        assert redis.llen("holdfast:test:queue:replies") == 1


def test_the_balance_in_the_answer_follows_each_post(me: FlaskClient, chat: ChatSession) -> None:
    found = [post(me, chat).json["credits"] for _ in range(3)]
    assert found == [{"balance": 300 - 3 * n, "held": 3 * n} for n in (1, 2, 3)]


def test_a_chat_may_be_named_by_its_display_id(me: FlaskClient, chat: ChatSession) -> None:
    answer = me.post(f"/chats/{chat.display_id.upper()}/messages", json={"content": "Hello"})
    assert (answer.status_code, answer.json["message"]["chatSessionId"]) == (202, chat.id)


@pytest.mark.settings(models=["fake", "fake:chunks=1"])
def test_a_model_on_the_list_may_be_asked_for(me: FlaskClient, chat: ChatSession) -> None:
    answer = me.post(f"/chats/{chat.id}/messages", json={"content": "Hello", "model": "fake:chunks=1"})
    assert answer.json["reply"]["model"] == "fake:chunks=1"


def test_a_message_of_100000_characters_is_taken_whole(me: FlaskClient, chat: ChatSession, channel: Channel) -> None:
    answer = post(me, chat, "🙂" * 100_000)
    assert answer.status_code == 202
    assert the_message(answer.json["message"]["id"]).content == "🙂" * 100_000
    told = channel.heard()[0].data
    assert ("content" in told, told["contentOmitted"]) == (False, True)


def test_nul_and_lone_surrogates_are_cleaned_from_a_message(me: FlaskClient, chat: ChatSession, desk: Desk) -> None:
    escaped = '{"content": "a\\u0000b \\ud800c \\ud83d\\ude00 d\\udfff"}'
    answer = me.post(f"/chats/{chat.id}/messages", data=escaped, content_type="application/json")
    assert (answer.status_code, answer.json["message"]["content"]) == (202, "ab c 😀 d")
    write_reply(answer.json["reply"]["id"], desk)
    assert the_message(answer.json["reply"]["id"]).status == "completed"


def test_a_key_sent_again_answers_with_the_rows_as_they_are_now(
    me: FlaskClient, chat: ChatSession, desk: Desk, channel: Channel
) -> None:
    first = post(me, chat, key="key 1")
    assert "Idempotent-Replayed" not in first.headers
    write_reply(first.json["reply"]["id"], desk)
    channel.forget()
    with nothing_changes():
        again = post(me, chat, key="key 1")
    assert (again.status_code, again.headers["Idempotent-Replayed"]) == (202, "true")
    assert again.json["message"] == first.json["message"]
    assert (again.json["reply"]["id"], again.json["reply"]["status"]) == (first.json["reply"]["id"], "completed")
    assert again.json["credits"] == {"balance": 297, "held": 0}
    assert channel.heard() == []


@pytest.mark.settings(signup_credits=3)
def test_a_known_key_answers_before_any_other_check(me: FlaskClient, chat: ChatSession) -> None:
    first = post(me, chat, key="k")
    assert post(me, chat).status_code == 402
    assert post(me, chat, key="k").json["message"] == first.json["message"]
    me.delete(f"/chats/{chat.id}")
    again = post(me, chat, key="k")
    assert (again.status_code, again.json["reply"]["status"]) == (202, "cancelled")


def test_a_key_belongs_to_its_user(app: Flask, me: FlaskClient, chat: ChatSession) -> None:
    key = uuid4().hex
    stranger = a_post(key=key)
    answer = post(me, chat, key=key)
    assert "Idempotent-Replayed" not in answer.headers
    assert answer.json["message"]["id"] != stranger.message.id


def test_a_replay_of_a_running_reply_shows_its_text_so_far(me: FlaskClient, chat: ChatSession) -> None:
    reply = post(me, chat, key="k").json["reply"]
    change(reply["id"], status="running", attempt=1, content="So far", live_index=2, lease_until=past(-60))
    again = post(me, chat, key="k").json["reply"]
    assert (again["status"], again["content"], again["nextIndex"]) == ("running", "So far", 2)
