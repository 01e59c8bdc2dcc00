"""An owner renames, archives and touches chats, and sets them up. Each change is one event with one number."""

from typing import Any
from uuid import uuid4

import pytest
from flask.testing import FlaskClient

from shared.models import ChatSession, User
from tests.channel import Channel
from tests.factories import a_claim, a_post, nothing_changes, the_chat, the_message, the_user
from tests.integration.http.mirror import Mirror

SETTINGS: dict[str, Any] = {
    "model": "fake",
    "whenBusy": "reject",
    "includeContext": True,
    "instructions": "Answer in rhymes.\nAlways.",
}


def listed(me: FlaskClient, query: str = "") -> list[str]:
    return [chat["id"] for chat in me.get(f"/chats?{query}").json["items"]]


def test_an_archived_chat_is_in_the_list_of_archived_ones_alone(
    me: FlaskClient, chat: ChatSession, user: User, channel: Channel
) -> None:
    answer = me.patch(f"/chats/{chat.id}", json={"archived": True})
    assert (answer.status_code, answer.json["archived"], answer.json["seq"]) == (200, True, chat.seq + 1)
    assert (listed(me), listed(me, "archived=true")) == ([], [chat.id])
    back = me.patch(f"/chats/{chat.id}", json={"archived": False})
    assert (listed(me, "archived=false"), listed(me, "archived=true")) == ([chat.id], [])
    events = channel.named("chat.updated")
    assert [event.data for event in events] == [answer.json, back.json]
    assert back.json["seq"] == the_user(user.id).seq
    assert back.json["unread"] is False


def test_a_post_takes_its_chat_out_of_the_archive_and_tells_it(
    me: FlaskClient, chat: ChatSession, user: User, channel: Channel
) -> None:
    mirror = Mirror(me)
    mirror.catch_up()
    me.patch(f"/chats/{chat.id}", json={"archived": True})
    before = the_user(user.id).seq
    channel.forget()
    assert me.post(f"/chats/{chat.id}/messages", json={"content": "Hello"}).status_code == 202
    events = channel.heard()
    assert sorted(event.data["seq"] for event in events) == [before + n for n in (1, 2, 3, 4)]
    (updated,) = [event.data for event in events if event.name == "chat.updated"]
    assert (updated["archived"], updated["unread"], updated["seq"]) == (False, False, before + 4)
    assert listed(me) == [chat.id]
    mirror.catch_up()
    assert mirror.chats[chat.id] == me.get(f"/chats/{chat.id}").json == updated


def test_an_archived_chat_is_still_read_written_to_and_deleted(me: FlaskClient, chat: ChatSession) -> None:
    posted = a_post(chat)
    me.patch(f"/chats/{chat.id}", json={"archived": True})
    assert a_claim(posted)
    assert me.get(f"/chats/{chat.id}").json["archived"] is True
    assert len(me.get(f"/chats/{chat.id}/messages").json["items"]) == 2
    assert me.delete(f"/chats/{chat.id}").status_code == 204
    assert (listed(me), listed(me, "archived=true")) == ([], [])


@pytest.mark.parametrize("same", [{}, {"title": "Same", "archived": False}, {"settings": {"whenBusy": "queue"}}])
def test_a_change_to_what_is_there_already_changes_nothing(same: Any, me: FlaskClient, channel: Channel) -> None:
    chat = me.post("/chats", json={"title": "Same", "settings": {"whenBusy": "queue"}}).json
    channel.forget()
    with nothing_changes():
        answer = me.patch(f"/chats/{chat['id']}", json=same)
    assert (answer.status_code, answer.json, channel.heard()) == (200, chat, [])


def test_the_users_own_title_is_kept_even_if_it_reads_like_the_default(me: FlaskClient, chat: ChatSession) -> None:
    assert me.patch(f"/chats/{chat.id}", json={"title": "New chat"}).json["titleSource"] == "user"


def test_each_key_of_the_settings_is_set_kept_or_cleared(me: FlaskClient, channel: Channel) -> None:
    chat = me.post("/chats", json={"settings": SETTINGS}).json
    assert chat["settings"] == SETTINGS
    channel.forget()
    changed = me.patch(f"/chats/{chat['id']}", json={"settings": {"whenBusy": "interrupt", "instructions": None}}).json
    assert changed["settings"] == SETTINGS | {"whenBusy": "interrupt", "instructions": None}
    assert the_chat(chat["id"]).settings == {"model": "fake", "whenBusy": "interrupt", "includeContext": True}
    (event,) = channel.heard()
    assert (event.name, event.data) == ("chat.updated", changed)


@pytest.mark.parametrize("blank", ["", " \n", "\u200b\u3164"])
def test_blank_instructions_are_none(blank: str, me: FlaskClient) -> None:
    chat = me.post("/chats", json={"settings": {"instructions": blank}}).json
    assert chat["settings"]["instructions"] is None


def test_the_longest_instructions_fit_in_any_form(me: FlaskClient, chat: ChatSession) -> None:
    longest = "\U0001f600" * 4000
    answer = me.patch(f"/chats/{chat.id}", json={"settings": {"instructions": longest}})  # ten bytes each, as escapes
    assert answer.json["settings"]["instructions"] == longest


@pytest.mark.parametrize("name", ["teamId", "repoId", "documentId"])
def test_a_chat_of_a_team_a_repo_or_a_document_is_refused_until_there_are_some(
    name: str, me: FlaskClient, channel: Channel
) -> None:
    with nothing_changes():
        answers = [me.post("/chats", json={"title": "Mine", name: str(uuid4())}) for _ in range(2)]
    assert [(answer.status_code, answer.json["code"]) for answer in answers] == [(403, "forbidden")] * 2
    assert channel.heard() == []
    assert me.post("/chats", json={name: None}).status_code == 201


def test_a_touch_moves_the_chat_to_the_top_and_makes_nothing_unread(
    me: FlaskClient, chat: ChatSession, user: User, channel: Channel
) -> None:
    newer = me.post("/chats").json
    channel.forget()
    answer = me.post(f"/chats/{chat.display_id}/touch")
    assert (answer.status_code, answer.json["unread"], answer.json["seq"]) == (200, False, the_user(user.id).seq)
    assert answer.json["lastActiveAt"] > newer["lastActiveAt"]
    assert answer.json["updatedAt"] == me.get(f"/chats/{chat.id}").json["updatedAt"]
    assert listed(me) == [chat.id, newer["id"]]
    (event,) = channel.heard()
    assert (event.name, event.data) == ("chat.updated", answer.json)


@pytest.mark.settings(models=["fake", "other"])
def test_the_model_of_the_chat_counts_unless_the_post_names_one(me: FlaskClient) -> None:
    chat = me.post("/chats", json={"settings": {"model": "other"}}).json
    for named, used in (({}, "other"), ({"model": "fake"}, "fake")):
        posted = me.post(f"/chats/{chat['id']}/messages", json={"content": "Hello"} | named).json
        assert the_message(posted["reply"]["id"]).model == used
    me.patch(f"/chats/{chat['id']}", json={"settings": {"model": None}})
    posted = me.post(f"/chats/{chat['id']}/messages", json={"content": "Hello"}).json
    assert the_message(posted["reply"]["id"]).model == "fake"
