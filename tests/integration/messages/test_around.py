"""A page of messages may begin anywhere: around a message, and from there both ways. It has shown messages only."""

from typing import Any

import pytest
from flask.testing import FlaskClient

from shared.models import ChatSession
from tests.factories import nothing_changes
from tests.integration.messages.versions.conversation import answered, verb


@pytest.fixture
def ids(me: FlaskClient, chat: ChatSession) -> list[str]:
    """The ids of the shown messages, oldest first. Hidden versions stand among them."""
    for n in range(4):
        posted = answered(chat, f"Question {n}")
        if n % 2:
            continue
        reply = verb(me, posted.reply, "regenerate").json["reply"]["id"]
        me.post(f"/chats/{chat.id}/messages/{reply}/stop")
    items = me.get(f"/chats/{chat.id}/messages").json["items"]
    assert len(items) == 8
    return [item["id"] for item in items]


def page(me: FlaskClient, chat: ChatSession, **asked: Any) -> Any:
    return me.get(f"/chats/{chat.id}/messages", query_string=asked).json


@pytest.mark.parametrize("order", ["asc", "desc"])
@pytest.mark.parametrize("limit", [1, 2, 3, 5, 200])
def test_from_any_message_both_ways_one_reads_every_shown_message_once(
    limit: int, order: str, me: FlaskClient, chat: ChatSession, ids: list[str]
) -> None:
    for middle in ids:
        found = page(me, chat, around=middle, limit=limit, order=order)
        read = [item["id"] for item in found["items"]]
        assert middle in read
        assert len(read) <= limit
        other = {"asc": "desc", "desc": "asc"}[order]
        after = _to_the_end(me, chat, found["nextCursor"], limit, order)
        before = _to_the_end(me, chat, found["prevCursor"], limit, other)
        whole = before[::-1] + read + after
        assert whole == (ids if order == "asc" else ids[::-1])


def _to_the_end(me: FlaskClient, chat: ChatSession, cursor: str | None, limit: int, order: str) -> list[str]:
    read: list[str] = []
    while cursor:
        found = page(me, chat, cursor=cursor, limit=limit, order=order)
        assert "prevCursor" not in found
        read += [item["id"] for item in found["items"]]
        cursor = found["nextCursor"]
    return read


def test_the_message_is_in_the_middle(me: FlaskClient, chat: ChatSession, ids: list[str]) -> None:
    assert [item["id"] for item in page(me, chat, around=ids[4], limit=5)["items"]] == ids[2:7]


def test_around_a_hidden_version_are_the_shown_ones(me: FlaskClient, chat: ChatSession) -> None:
    posted = answered(chat)
    verb(me, posted.reply, "regenerate")
    assert posted.reply
    shown = [item["id"] for item in page(me, chat)["items"]]
    assert posted.reply.id not in shown
    assert [item["id"] for item in page(me, chat, around=posted.reply.id)["items"]] == shown


def test_around_nothing_of_this_chat_is_refused(me: FlaskClient, chat: ChatSession, ids: list[str]) -> None:
    with nothing_changes():
        assert me.get(f"/chats/{chat.id}/messages?around=nothing").status_code == 403
    assert page(me, chat, around=ids[0], cursor="A" * 8) == page(me, chat, around=ids[0])  # no cursor counts then
    me.delete(f"/chats/{chat.id}/messages/{ids[0]}")
    assert me.get(f"/chats/{chat.id}/messages?around={ids[0]}").status_code == 404
