"""A user's own account: its data, and its deletion. Nothing of a deleted account works, and nothing is kept."""

from typing import Any
from uuid import uuid4

import pytest
from flask import Flask
from redis import Redis
from sqlalchemy import select, update

from shared.actions.replies.claim import claim_reply
from shared.actions.replies.finish import Answer, Superseded, complete_reply
from shared.core import current_link
from shared.database.clock import utc_now
from shared.database.tables import db
from shared.database.units import write_unit
from shared.models.credits import credit_entries
from shared.models.user import users
from shared.redis.live_text import Piece, append
from shared.settings import Settings
from tests.channel import Channel
from tests.factories import (
    a_claim,
    a_post,
    at_once,
    everything,
    money_of,
    nothing_changes,
    the_chat,
    the_message,
    the_user,
)
from workers.sweeper import sweep

PASSWORD = "correct horse battery staple"


class Member:
    """A person who signed up over HTTP and holds both tokens."""

    def __init__(self, app: Flask, email: str | None = None) -> None:
        self.email, self.client = email or f"{uuid4().hex}@example.org", app.test_client()
        body = {"email": self.email, "password": PASSWORD, "tokenMode": "body"}
        answer = self.client.post("/auth/sign-up", json=body)
        assert answer.status_code == 201, answer.text
        self.id, self.refresh_token = answer.json["user"]["id"], answer.json["refreshToken"]
        self.client.environ_base["HTTP_AUTHORIZATION"] = f"Bearer {answer.json['accessToken']}"
        self.chat = the_chat(self.client.post("/chats", json={"title": "Secret title"}).json["id"])

    def leave(self, password: str = PASSWORD) -> Any:
        return self.client.delete("/me", json={"password": password})


@pytest.fixture
def member(core: Flask, app: Flask) -> Member:
    return Member(app)


def test_who_am_i(member: Member) -> None:
    answer = member.client.get("/me")
    assert (answer.status_code, answer.json) == (
        200,
        {"id": member.id, "email": member.email, "role": "user", "credits": 300, "subscription": None},
    )


def test_a_wrong_password_deletes_nothing(member: Member) -> None:
    a_post(member.chat)
    with nothing_changes():
        answers = [member.leave("wrong"), member.client.delete("/me"), member.client.delete("/me", json={})]
    assert [(answer.status_code, answer.json["code"]) for answer in answers] == [
        (403, "wrong_password"),
        (422, "invalid_request"),
        (422, "invalid_request"),
    ]


def test_nothing_is_left_but_ids_and_amounts(member: Member, settings: Settings) -> None:
    done, running, waiting = (a_post(member.chat, "Secret question") for _ in range(3))
    a_post(member.chat, "Secret question", key="a key")
    complete_reply(a_claim(done), Answer("Secret answer", finish_reason="stop"))
    claim = a_claim(running)
    append(current_link(), [Piece(claim.id, 1, "Secret text", b'["nobody","message.delta",{}]')])
    assert money_of(member.id) == (288, 9)
    left = member.leave()
    assert (left.status_code, left.json["chats"], left.json["messages"]) == (200, 1, 8)
    found = str(everything())
    assert member.email not in found
    assert "ecret" not in found
    assert "argon2" not in found
    assert "a key" not in found
    assert [the_message(posted.reply.id).status for posted in (done, running, waiting)] == [
        "completed",
        "cancelled",
        "cancelled",
    ]
    assert money_of(member.id) == (297, 0)
    assert the_chat(member.chat.id).deleted_at
    db.session.rollback()
    entries = db.session.scalars(select(credit_entries.c.kind).where(credit_entries.c.user_id == member.id))
    assert sorted(entries) == ["grant", *["hold"] * 4, *["release"] * 3]
    with Redis.from_url(settings.redis_url) as redis:
        assert redis.keys("holdfast:test:live:*") == []


def test_the_receipt_names_each_place_that_had_text(member: Member, settings: Settings) -> None:
    a_post(member.chat)
    left = member.leave()
    within = {place["place"]: place["withinSeconds"] for place in left.json["places"]}
    database = 60 if settings.database_url.startswith("sqlite") else None
    assert within == {"database": database, "redis": 60, "logs": 0, "model": None, "backups": None}
    assert all(place["detail"].endswith(".") for place in left.json["places"])
    assert left.json["kept"] == ["ids", "times", "amounts of credits"]
    assert "refresh" in left.headers["Set-Cookie"], "the cookie goes"


def test_every_token_stops_working_for_every_route(member: Member, app: Flask) -> None:
    posted = a_post(member.chat, key="known")
    member.leave()
    chat, message = f"/chats/{member.chat.id}", f"/chats/{member.chat.id}/messages/{posted.reply.id}"
    post = f"{chat}/messages"
    calls: list[tuple[str, str, Any]] = [
        ("POST", post, {"content": "Hello"}),
        ("POST", post, {"content": "Hello"}),
        ("GET", "/me", None),
        ("DELETE", "/me", {"password": PASSWORD}),
        ("POST", "/chats", None),
        ("GET", "/chats", None),
        ("GET", chat, None),
        ("PATCH", chat, {"title": "Back"}),
        ("DELETE", chat, None),
        ("POST", f"{chat}/queue/resume", None),
        ("GET", post, None),
        ("GET", message, None),
        ("DELETE", message, None),
        ("POST", f"{message}/stop", None),
    ]
    with nothing_changes():
        answers = [member.client.open(path, method=method, json=body) for method, path, body in calls]
        replay = member.client.post(post, json={"content": "Hello"}, headers={"Idempotency-Key": "known"})
        refreshed = app.test_client().post("/auth/refresh", json={"refreshToken": member.refresh_token})
        again = app.test_client().post("/auth/sign-in", json={"email": member.email, "password": PASSWORD})
    codes = [(answer.status_code, answer.json["code"]) for answer in (*answers, replay, refreshed)]
    assert set(codes) == {(401, "unauthenticated")}, codes
    assert (again.status_code, again.json["code"]) == (401, "wrong_credentials")


def test_the_tokens_of_a_disabled_account_stop_working_too_and_its_running_reply_ends(member: Member) -> None:
    claim = a_claim(a_post(member.chat))
    with write_unit() as unit:
        unit.execute(update(users).where(users.c.id == member.id).values(disabled_at=utc_now()))
    posted = member.client.post(f"/chats/{member.chat.id}/messages", json={"content": "Hello"})
    assert [posted.status_code, member.client.get("/me").status_code] == [401, 401]
    complete_reply(claim, Answer("Done", finish_reason="stop"))
    assert the_message(claim.id).status == "completed"


def test_a_freed_email_may_sign_up_again(member: Member, app: Flask) -> None:
    member.leave()
    again = Member(app, member.email)
    assert again.id != member.id
    assert [chat["id"] for chat in again.client.get("/chats").json["items"]] == [again.chat.id]


def test_what_comes_late_changes_nothing_and_tells_nobody(member: Member, channel: Channel) -> None:
    running = a_claim(a_post(member.chat))
    waiting = a_post(member.chat)
    channel.forget()
    member.leave()
    assert channel.names() == ["resync"]
    channel.forget()
    with nothing_changes():
        with pytest.raises(Superseded):
            complete_reply(running, Answer("Secret answer", finish_reason="stop"))
        assert claim_reply(waiting.reply.id, "a worker") is None
        sweep()
    assert channel.heard() == []


def test_a_post_that_races_with_the_end_is_refused_or_goes_with_it(member: Member, core: Flask) -> None:
    path = f"/chats/{member.chat.id}/messages"
    posts = [lambda: member.client.post(path, json={"content": "Secret"}).status_code] * 4
    codes = at_once(core, lambda: member.leave().status_code, *posts)
    assert codes[0] == 200
    assert set(codes[1:]) <= {202, 401, 404}
    assert "ecret" not in str(everything())
    assert money_of(member.id) == (300, 0)
    assert the_user(member.id).deleted_at


def test_others_stay_as_they_are(member: Member, app: Flask) -> None:
    other = Member(app)
    posted = a_post(other.chat, "Still here")
    before = the_message(posted.message.id), the_message(posted.reply.id), the_user(other.id), the_chat(other.chat.id)
    member.leave()
    after = the_message(posted.message.id), the_message(posted.reply.id), the_user(other.id), the_chat(other.chat.id)
    assert after == before
