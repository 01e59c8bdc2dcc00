"""A reply waits without its question if that was answered before, or stored without a reply."""

import pytest
from flask.testing import FlaskClient

from shared.actions.messages.again import AgainRequest, ask_again
from shared.actions.replies.finish import Answer, complete_reply
from shared.actions.replies.stop import stop_reply
from shared.models import ChatSession
from tests.channel import Channel
from tests.factories import a_claim, a_post, money_of, nothing_changes, the_chat, the_message, the_user
from tests.integration.messages.versions.conversation import answered, ended, verb, versions, with_reply
from tests.integration.queue.waiting.asking import ids, in_order, listed, remove


@pytest.fixture
def done(me: FlaskClient, chat: ChatSession) -> list[str]:
    """The ids of a message, its regenerated reply, and those of a pair behind it. All but the message wait."""
    first = a_post(chat)
    complete_reply(a_claim(first), Answer("Done"))
    again = ask_again(chat.owner_id, AgainRequest("regenerate", chat.id, first.message.id)).reply
    assert again
    return [first.message.id, again.id, *ids(a_post(chat))]


def order(me: FlaskClient, chat: ChatSession, *names: str) -> int:
    body = {"order": names, "ifSeq": the_user(chat.owner_id).seq}
    return int(me.put(f"/chats/{chat.id}/queue", json=body).status_code)


def test_it_is_listed_and_moved_alone(me: FlaskClient, chat: ChatSession, done: list[str]) -> None:
    question, again, message, reply = done
    assert listed(me, chat) == [again, message, reply]
    assert order(me, chat, message, again) == 200
    assert listed(me, chat) == [message, reply, again]
    assert in_order(chat)[0] == question
    assert me.patch(f"/chats/{chat.id}/messages/{question}", json={"content": "New"}).status_code == 409


def test_its_removal_shows_the_earlier_version(me: FlaskClient, chat: ChatSession, done: list[str]) -> None:
    assert remove(me, chat, the_message(done[1])).status_code == 204
    assert listed(me, chat) == done[2:]
    shown = [item["content"] for item in me.get(f"/chats/{chat.id}/messages").json["items"]]
    assert shown == ["Hello", "Done", "Hello", ""]
    assert money_of(chat.owner_id) == (294, 3)


def test_a_message_that_was_stored_alone_stays_as_it_is(me: FlaskClient, chat: ChatSession) -> None:
    running = a_post(chat)
    stored = me.post(f"/chats/{chat.id}/messages", json={"content": "Keep me", "generate": False}).json["message"]
    path = f"/chats/{chat.id}/messages/{stored['id']}"
    reply = me.post(f"{path}/regenerate").json["reply"]
    assert listed(me, chat) == [*ids(running), reply["id"]]
    assert remove(me, chat, the_message(stored["id"])).status_code == 409
    assert me.patch(path, json={"content": "New"}).status_code == 409
    assert remove(me, chat, the_message(reply["id"])).status_code == 204
    assert me.get(path).json["content"] == "Keep me"
    assert listed(me, chat) == ids(running)


def test_it_never_comes_before_its_question(me: FlaskClient, chat: ChatSession) -> None:
    waiting, stopped = a_post(chat), a_post(chat)
    stop_reply(chat.owner_id, chat.id, stopped.reply.id)
    again = ask_again(chat.owner_id, AgainRequest("retry", chat.id, stopped.reply.id)).reply
    assert again
    assert listed(me, chat) == [*ids(waiting), again.id]
    with nothing_changes():
        assert order(me, chat, again.id, waiting.message.id) == 422
    assert the_chat(chat.id).parked_at is None


def test_the_removal_of_an_edit_shows_the_earlier_message_with_its_paid_answer(
    me: FlaskClient, chat: ChatSession, channel: Channel
) -> None:
    first = answered(chat, "First")
    ended(with_reply(first, verb(me, first.reply, "regenerate").json["reply"]["id"]), text="Second answer")
    verb(me, first.reply, "shown")
    edit = verb(me, first.message, "edit").json["message"]
    channel.forget()
    assert remove(me, chat, the_message(edit["id"])).status_code == 204
    shown = [item["content"] for item in me.get(f"/chats/{chat.id}/messages").json["items"]]
    assert shown == ["First", "Half of an answer"]
    assert versions(me, first.reply) == [(1, True), (2, False)]
    assert money_of(chat.owner_id) == (294, 0)
    assert channel.names() == ["message.deleted"] * 2 + ["credits.changed"] + ["message.updated"] * 2 + ["chat.updated"]


def test_the_removal_of_an_ordinary_message_is_told_with_its_chat(
    me: FlaskClient, chat: ChatSession, channel: Channel
) -> None:
    posted = a_post(chat)
    channel.forget()
    remove(me, chat, posted.message)
    assert channel.names() == ["message.deleted", "message.deleted", "credits.changed", "chat.updated"]
    assert channel.heard()[-1].data["unread"] is False
