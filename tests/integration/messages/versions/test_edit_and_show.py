"""An edit puts a new pair in the place of the last one. Any version can be shown again; one of each is shown."""

from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select

from shared.database.units import query
from shared.models import ChatSession, User
from shared.models.message import MESSAGE, MessageRow, messages
from tests.channel import Channel
from tests.factories import a_claim, a_post, everything, money_of, nothing_changes, the_message, the_user
from tests.integration.messages.versions.conversation import answered, ended, listed, verb, versions, with_reply
from tests.integration.workers.live_text.worker_trip import put
from workers.context.history import recent_messages


def edited(me: FlaskClient, message: Any, **body: Any) -> Any:
    """The rows of the new pair."""
    answer = verb(me, message, "edit", **body)
    assert answer.status_code == 202
    return [the_message(answer.json[which]["id"]) for which in ("message", "reply")]


def test_an_edit_is_a_new_pair_in_the_place_of_the_old_one(
    me: FlaskClient, chat: ChatSession, user: User, channel: Channel
) -> None:
    posted = answered(chat)
    channel.forget()
    before = the_user(user.id).seq
    answer = verb(me, posted.message, "edit")
    message, reply = answer.json["message"], answer.json["reply"]
    assert answer.status_code == 202
    assert (message["content"], message["version"], message["versionOf"]) == ("Another question", 2, posted.message.id)
    assert (reply["replyTo"], reply["version"], reply["versionOf"]) == (message["id"], 1, None)
    assert (message["position"], reply["position"]) == (2, 3)
    names = ["message.created", "message.created", "credits.changed", "message.updated", "message.updated"]
    assert channel.names() == names
    assert [event.data["seq"] for event in channel.heard()] == [before + n for n in range(1, 6)]
    assert [event.data["shown"] for event in channel.named("message.updated")] == [False, False]
    assert listed(me, chat) == ["Another question", ""]
    assert money_of(user.id) == (294, 3)


def test_the_model_gets_the_shown_versions_only(me: FlaskClient, chat: ChatSession) -> None:
    answered(chat, "First")
    posted = answered(chat, "Second")
    _, reply = edited(me, posted.message, content="Second, edited")
    claim = a_claim(with_reply(posted, reply.id))
    assert [said["content"] for said in recent_messages(claim).messages] == [
        "First",
        "Half of an answer",
        "Second, edited",
    ]


def test_a_replayed_edit_makes_nothing(me: FlaskClient, chat: ChatSession) -> None:
    posted = answered(chat)
    first = verb(me, posted.message, "edit", key="k")
    with nothing_changes():
        again = verb(me, posted.message, "edit", key="k")
    assert again.json["message"]["id"] == first.json["message"]["id"]
    assert again.headers["Idempotent-Replayed"] == "true"


def test_only_a_message_of_ones_own_can_be_edited(me: FlaskClient, chat: ChatSession) -> None:
    posted = answered(chat)
    with nothing_changes():
        assert verb(me, posted.reply, "edit").json["code"] == "not_editable"
        assert verb(me, posted.message, "edit", content=" ").json["errors"].keys() == {"content"}


def test_an_edit_and_its_first_version_can_be_shown_in_turn_with_the_reply_that_was_shown_last(
    me: FlaskClient, chat: ChatSession, channel: Channel
) -> None:
    first = answered(chat, "First")
    other = ended(with_reply(first, verb(me, first.reply, "regenerate").json["reply"]["id"]), text="Second answer")
    assert verb(me, first.reply, "shown").json["shown"] is True
    assert listed(me, chat) == ["First", "Half of an answer"]
    message, reply = edited(me, first.message, content="First, edited")
    ended(with_reply(first, reply.id), text="Third answer")
    channel.forget()
    assert verb(me, first.message, "shown").json["id"] == first.message.id
    *switched, noted = channel.heard()
    assert [event.data["shown"] for event in switched] == [True, True, False, False]
    assert (noted.name, noted.data["unread"]) == ("chat.updated", True)
    assert listed(me, chat) == ["First", "Half of an answer"]
    assert verb(me, reply, "shown").status_code == 200  # a reply brings its message
    assert listed(me, chat) == ["First, edited", "Third answer"]
    assert verb(me, other.reply, "shown").status_code == 200
    assert listed(me, chat) == ["First", "Second answer"]
    with nothing_changes():
        assert verb(me, other.reply, "shown").status_code == 200
    assert versions(me, message) == [(1, True), (2, False)]
    assert_one_of_each_is_shown()


def test_the_conversation_goes_on_from_the_version_that_is_shown(me: FlaskClient, chat: ChatSession) -> None:
    first = answered(chat, "First")
    _, reply = edited(me, first.message)
    ended(with_reply(first, reply.id), text="Third answer")
    verb(me, first.message, "shown")
    next_one = a_post(chat, "Next")
    said = recent_messages(a_claim(next_one)).messages
    assert [one["content"] for one in said] == ["First", "Half of an answer", "Next"]
    assert verb(me, reply, "shown").status_code == 200  # an earlier pair may change too, while another reply runs
    assert listed(me, chat) == ["Another question", "Third answer", "Next", ""]


def test_while_a_reply_of_the_pair_is_open_nothing_else_is_shown(me: FlaskClient, chat: ChatSession) -> None:
    first = answered(chat)
    _, reply = edited(me, first.message)
    for message in (first.message, first.reply):
        with nothing_changes():
            answer = verb(me, message, "shown")
        assert (answer.status_code, answer.json["code"], answer.json["messageId"]) == (409, "reply_open", reply.id)


@pytest.mark.parametrize("gone", ["shown", "hidden"])
def test_if_the_shown_version_is_deleted_the_newest_other_one_is_shown(
    gone: str, me: FlaskClient, chat: ChatSession, channel: Channel
) -> None:
    posted = answered(chat)
    for text in ("Second answer", "Third answer"):
        ended(with_reply(posted, verb(me, posted.message, "regenerate").json["reply"]["id"]), text=text)
    newest = me.get(f"/chats/{chat.id}/messages").json["items"][-1]["id"]
    channel.forget()
    doomed = newest if gone == "shown" else posted.reply.id  # type: ignore[union-attr]
    assert me.delete(f"/chats/{chat.id}/messages/{doomed}").status_code == 204
    assert channel.names() == ["message.deleted", "message.updated", "chat.updated"][: 3 if gone == "shown" else 1]
    assert listed(me, chat)[-1] == ("Second answer" if gone == "shown" else "Third answer")
    assert_one_of_each_is_shown()
    third = verb(me, posted.message, "regenerate").json["reply"]
    assert third["version"] == 4


def test_a_message_is_deleted_with_its_edits_and_all_their_replies(
    me: FlaskClient, chat: ChatSession, user: User, channel: Channel
) -> None:
    first = answered(chat, "Secret one")
    verb(me, first.message, "regenerate")
    waiting = the_message(me.get(f"/chats/{chat.id}/messages").json["items"][-1]["id"])
    ended(with_reply(first, waiting.id), text="Secret two")
    message, _ = edited(me, first.message, content="Secret three")
    channel.forget()
    assert me.delete(f"/chats/{chat.id}/messages/{message.id}").status_code == 204
    assert channel.names() == ["message.deleted"] * 5 + ["credits.changed"]
    numbers = [event.data["seq"] for event in channel.heard()]
    assert numbers == list(range(numbers[0], numbers[0] + 6))
    assert listed(me, chat) == []
    assert "Secret" not in str(everything())
    assert money_of(user.id) == (294, 0)


def test_versions_of_what_is_gone_are_gone(me: FlaskClient, chat: ChatSession) -> None:
    posted = answered(chat)
    me.delete(f"/chats/{chat.id}/messages/{posted.message.id}")
    for name in ("regenerate", "retry", "continue", "edit", "shown"):
        with nothing_changes():
            assert verb(me, posted.reply, name).status_code == 404, name


def assert_one_of_each_is_shown() -> None:
    rows = query(select(*MESSAGE).where(messages.c.deleted_at.is_(None)), row=MessageRow)
    shown: dict[str, int] = {}
    for row in rows:
        shown[row.version_of or row.id] = shown.get(row.version_of or row.id, 0) + row.shown
    assert max(shown.values()) == 1


def test_the_shown_version_is_answered_with_its_place_or_its_text_so_far(me: FlaskClient, chat: ChatSession) -> None:
    posted = a_post(chat)
    assert verb(me, posted.reply, "shown").json["queue"] == {"ahead": 0, "estimatedStartAt": None, "noWorker": True}
    claim = a_claim(posted)
    put(claim.id, claim.attempt, "So far")
    answer = verb(me, posted.reply, "shown").json
    assert (answer["content"], answer["nextIndex"]) == ("So far", 1)


def test_edits_and_replies_of_one_message_are_bounded_and_deleted_ones_count(
    me: FlaskClient, chat: ChatSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shared.actions.messages.versions.MOST_VERSIONS", 5)
    answered(chat, "Before")
    first = answered(chat)
    message, reply = edited(me, first.message)
    posted = ended(with_reply(first, reply.id))
    again = verb(me, reply, "regenerate").json["reply"]["id"]
    ended(with_reply(first, again), "failed")
    me.delete(f"/chats/{chat.id}/messages/{posted.reply.id}")  # type: ignore[union-attr]
    with nothing_changes():
        answers = [verb(me, message, name) for name in ("regenerate", "retry", "edit")]
    assert [(answer.status_code, answer.json["code"]) for answer in answers] == [(409, "too_many_versions")] * 3
    assert verb(me, answered(chat, "Behind").reply, "regenerate").status_code == 202
