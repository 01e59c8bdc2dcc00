"""A chat is unread while it holds text that its owner has not seen. All devices agree on that."""

from typing import Any

import pytest
from flask.testing import FlaskClient

from shared.actions.replies.finish import Answer, complete_reply, fail_reply
from shared.actions.replies.stop import stop_reply
from shared.errors.replies import ModelTimeout
from shared.models import ChatSession, User
from tests.channel import Channel
from tests.factories import a_claim, a_post, nothing_changes, the_chat, the_user

ANSWER = Answer("All of it", 1, "fake", "stop")


@pytest.fixture
def answered(chat: ChatSession) -> ChatSession:
    complete_reply(a_claim(a_post(chat)), ANSWER)
    return chat


def listed(me: FlaskClient) -> Any:
    (only,) = me.get("/chats").json["items"]
    return only


def see(me: FlaskClient, chat: ChatSession, seq: Any) -> Any:
    return me.put(f"/chats/{chat.id}/seen", json={"seq": seq})


def test_an_answer_makes_a_chat_unread_until_it_is_seen(
    me: FlaskClient, answered: ChatSession, channel: Channel
) -> None:
    before = listed(me)
    assert before["unread"] is True
    seen = see(me, answered, before["seq"])
    assert (seen.status_code, seen.json["unread"], seen.json["seq"]) == (200, False, the_user(answered.owner_id).seq)
    assert seen.json == before | {"unread": False, "seq": before["seq"] + 2}
    assert listed(me) == seen.json
    (told,) = channel.named("chat.updated")
    assert told.data == seen.json
    assert me.get(f"/sync?after={told.data['seq'] - 1}").json["chats"] == [seen.json]


def test_ones_own_post_leaves_nothing_unread(me: FlaskClient, answered: ChatSession) -> None:
    a_post(answered)
    assert listed(me)["unread"] is False


def test_being_seen_never_goes_back_and_takes_no_second_number(me: FlaskClient, answered: ChatSession) -> None:
    see(me, answered, listed(me)["seq"])
    with nothing_changes():
        for seq in (0, 1, listed(me)["seq"], 2**31 - 1):
            assert see(me, answered, seq).json["unread"] is False


def test_what_came_after_what_was_seen_stays_unread(me: FlaskClient, answered: ChatSession) -> None:
    with nothing_changes():
        assert see(me, answered, listed(me)["seq"] - 1).json["unread"] is True


def test_a_number_beyond_the_chats_own_promises_nothing(me: FlaskClient, answered: ChatSession) -> None:
    assert see(me, answered, 2**62).json["unread"] is False
    assert the_chat(answered.id).seen_seq == the_user(answered.owner_id).seq
    complete_reply(a_claim(a_post(answered)), ANSWER)
    assert listed(me)["unread"] is True


def test_another_title_is_nothing_to_read_and_hides_nothing(me: FlaskClient, answered: ChatSession) -> None:
    assert me.patch(f"/chats/{answered.id}", json={"title": "Another"}).json["unread"] is True
    see(me, answered, listed(me)["seq"])
    assert me.patch(f"/chats/{answered.id}", json={"title": "A third"}).json["unread"] is False


def test_a_failure_is_news_and_ones_own_stop_is_not(me: FlaskClient, chat: ChatSession) -> None:
    failing = a_claim(a_post(chat))
    fail_reply(failing, ModelTimeout(), Answer("Half", 1))
    assert [listed(me)[name] for name in ("parked", "unread")] == [True, True]
    stopped = a_post(chat).reply
    stop_reply(chat.owner_id, chat.id, stopped.id)
    assert [listed(me)[name] for name in ("parked", "unread")] == [True, False]
    assert me.post(f"/chats/{chat.id}/queue/resume").json["unread"] is False


def test_its_display_id_will_do(me: FlaskClient, user: User, answered: ChatSession) -> None:
    answer = me.put(f"/chats/{answered.display_id}/seen", json={"seq": listed(me)["seq"]})
    assert answer.json["unread"] is False


@pytest.mark.parametrize("seq", [-1, 1.5, "1", None, True])
def test_what_is_no_number_is_refused(seq: Any, me: FlaskClient, answered: ChatSession) -> None:
    with nothing_changes():
        assert see(me, answered, seq).status_code == 422
