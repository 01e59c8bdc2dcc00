"""Chats over REST: clients create, list and rename them, and only the owner sees them."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from flask.testing import FlaskClient
from sqlalchemy import update

from shared.database.units import write_unit
from shared.models import ChatSession, User
from shared.models.chat import chat_sessions
from tests.channel import Channel
from tests.factories import a_chat, a_post, nothing_changes, the_chat, the_user

FIELDS = """id displayId title userId teamId repoId documentId createdAt updatedAt lastActiveAt
    archived parked unread seq titleSource settings"""


def test_a_new_chat_has_a_title_and_two_ids(me: FlaskClient, user: User, channel: Channel) -> None:
    before = the_user(user.id).seq
    answer = me.post("/chats", json={})
    chat = answer.json
    assert answer.status_code == 201
    assert set(chat) == set(FIELDS.split())
    assert (chat["title"], chat["userId"], chat["seq"]) == ("New chat", user.id, before + 1)
    assert (chat["archived"], chat["parked"], chat["unread"]) == (False, False, False)
    assert chat["titleSource"] == the_chat(chat["id"]).title_source == "default"
    assert chat["settings"] == dict.fromkeys(("model", "whenBusy", "includeContext", "instructions"))
    (created,) = channel.heard()
    assert (created.user_id, created.name, created.data) == (user.id, "chat.created", chat)


def test_a_new_chat_needs_no_body(me: FlaskClient) -> None:
    assert me.post("/chats").status_code == 201


def test_a_title_is_one_trimmed_normal_line(me: FlaskClient) -> None:
    chat = me.post("/chats", json={"title": " Cafe\u0301\n\x00\tau \x1blait  "}).json
    assert chat["title"] == "Café au lait"
    assert the_chat(chat["id"]).title_source == "user"


def test_a_chat_is_found_by_both_of_its_ids(me: FlaskClient, chat: ChatSession) -> None:
    found = [me.get(f"/chats/{ref}") for ref in (chat.id, chat.id.upper(), chat.display_id, chat.display_id.upper())]
    assert [answer.status_code for answer in found] == [200] * 4
    assert len({answer.data for answer in found}) == 1
    assert found[0].json["id"] == chat.id


@pytest.mark.parametrize("ref", ["id", "display_id"])
def test_renaming_takes_a_number_and_tells_it(
    ref: str, me: FlaskClient, chat: ChatSession, user: User, channel: Channel
) -> None:
    answer = me.patch(f"/chats/{getattr(chat, ref)}", json={"title": "Another"})
    assert (answer.status_code, answer.json["title"]) == (200, "Another")
    assert answer.json["seq"] == the_user(user.id).seq == chat.seq + 1
    assert me.get(f"/chats/{chat.id}").json == answer.json
    (updated,) = channel.heard()
    assert (updated.user_id, updated.name, updated.data) == (user.id, "chat.updated", answer.json)


@pytest.mark.parametrize("sort", ["lastActiveAt", "updatedAt", "createdAt"])
def test_pages_hold_every_chat_once_newest_first_even_at_the_same_moment(
    sort: str, me: FlaskClient, user: User
) -> None:
    now = datetime.now(UTC)
    # three moments in the sorted column, the reverse order in the other two columns, and many ties
    for number in range(7):
        moment = now - timedelta(seconds=number // 3, microseconds=number // 3)
        set_times(a_chat(user), sort, moment, now + timedelta(seconds=number))
    a_chat()  # another user's chat
    found = everything_listed(me, f"/chats?sort={sort}&limit=2")
    assert [len(page) for page in found] == [2, 2, 2, 1]
    chats = [chat for page in found for chat in page]
    assert len({chat["id"] for chat in chats}) == 7
    keys = [(chat[sort], chat["id"]) for chat in chats]
    assert keys == sorted(keys, reverse=True)


def test_a_page_that_is_just_full_has_no_next(me: FlaskClient, user: User) -> None:
    for _ in range(2):
        a_chat(user)
    assert me.get("/chats?limit=2").json["nextCursor"] is None
    assert me.get("/chats?limit=1").json["nextCursor"]


def test_a_chat_that_came_since_does_not_shift_the_pages(me: FlaskClient, user: User) -> None:
    chats = [a_chat(user) for _ in range(3)]
    first = me.get("/chats?limit=2").json
    a_chat(user)
    second = me.get(f"/chats?limit=2&cursor={first['nextCursor']}").json
    listed = [chat["id"] for page in (first, second) for chat in page["items"]]
    assert listed == [chat.id for chat in reversed(chats)]


def test_a_post_moves_its_chat_to_the_top(me: FlaskClient, user: User) -> None:
    older, newer = a_chat(user), a_chat(user)
    assert [chat["id"] for chat in me.get("/chats").json["items"]] == [newer.id, older.id]
    a_post(older)
    assert [chat["id"] for chat in me.get("/chats").json["items"]] == [older.id, newer.id]


@pytest.mark.parametrize("order", ["asc", "desc"])
def test_messages_come_in_pages_by_position(order: str, me: FlaskClient, chat: ChatSession) -> None:
    for number in range(4):
        a_post(chat, str(number))
    pages = everything_listed(me, f"/chats/{chat.id}/messages?limit=3&order={order}")
    positions = [message["position"] for page in pages for message in page]
    assert positions == sorted(range(8), reverse=order == "desc")


FOREIGN = [
    ("GET", "/chats/{ref}", None),
    ("PATCH", "/chats/{ref}", {"title": "Mine now"}),
    ("DELETE", "/chats/{ref}", None),
    ("PUT", "/chats/{ref}/seen", {"seq": 1}),
    ("PATCH", "/chats/{ref}", {"archived": True, "settings": {"model": "another"}}),
    ("POST", "/chats/{ref}/touch", None),
    ("GET", "/chats/{ref}/export", None),
    ("GET", "/chats/{ref}/messages", None),
    ("POST", "/chats/{ref}/messages", {"content": "Hello"}),
    ("GET", "/chats/{ref}/messages/{message}", None),
]


@pytest.mark.parametrize(("method", "path", "body"), FOREIGN)
def test_a_foreign_chat_and_one_that_never_was_answer_alike(
    method: str, path: str, body: Any, me: FlaskClient, chat: ChatSession, channel: Channel
) -> None:
    posted = a_post()
    theirs = the_chat(posted.message.chat_session_id)
    channel.forget()
    refs = [theirs.id, theirs.display_id, uuid4(), "c-0000000000", "%00", "%ff", "null", "0", "'", "x" * 3000]
    with nothing_changes():
        answers = [me.open(path.format(ref=r, message=posted.message.id), method=method, json=body) for r in refs]
    assert {answer.status_code for answer in answers} == {403}
    assert len({answer.data for answer in answers}) == 1
    assert len({tuple(answer.headers) for answer in answers}) == 1
    assert channel.heard() == []


def test_a_foreign_message_and_one_that_never_was_answer_alike(me: FlaskClient, user: User, chat: ChatSession) -> None:
    elsewhere = a_post(a_chat(user)).message.id  # the same user's, but of another chat
    ids = [a_post().message.id, elsewhere, uuid4(), "%00", "%ff", "c-0000000000", "-1", "x" * 3000]
    answers = [me.get(f"/chats/{chat.id}/messages/{message_id}") for message_id in ids]
    assert {answer.status_code for answer in answers} == {403}
    assert len({answer.data for answer in answers}) == 1


def test_lists_hold_nothing_of_anybody_else(me: FlaskClient, chat: ChatSession) -> None:
    theirs = a_post(content="Their secret")
    a_post(chat, "My own")
    assert [item["id"] for item in me.get("/chats").json["items"]] == [chat.id]
    answer = me.get(f"/chats/{chat.id}/messages")
    assert "My own" in answer.text
    assert "Their secret" not in answer.text
    assert theirs.message.id not in answer.text


def test_a_cursor_of_somebody_else_shows_only_ones_own(me: FlaskClient, user: User) -> None:
    mine = a_chat(user)
    stranger = a_chat()
    cursor = me.get("/chats?limit=1&sort=createdAt").json["nextCursor"]
    assert cursor is None
    a_chat(user)
    cursor = me.get("/chats?limit=1&sort=createdAt").json["nextCursor"]
    listed = me.get(f"/chats?cursor={cursor}&sort=createdAt").json["items"]
    assert [chat["id"] for chat in listed] == [mine.id]
    assert stranger.id not in str(listed)


def set_times(chat: ChatSession, sort: str, moment: datetime, others: datetime) -> None:
    names = {"lastActiveAt": "last_active_at", "updatedAt": "updated_at", "createdAt": "created_at"}
    values = {column: moment if name == sort else others for name, column in names.items()}
    with write_unit() as session:
        session.execute(update(chat_sessions).where(chat_sessions.c.id == chat.id).values(**values))


def everything_listed(me: FlaskClient, path: str) -> list[list[Any]]:
    pages, cursor = [], ""
    while cursor is not None:
        page = me.get(path + (f"&cursor={cursor}" if cursor else "")).json
        pages.append(page["items"])
        cursor = page["nextCursor"]
    return pages
