"""A client lists the waiting messages of a chat, and puts them into another order."""

from typing import Any

import pytest
from flask.testing import FlaskClient

from shared.actions.replies.claim import claim_reply
from shared.actions.replies.finish import Answer, complete_reply
from shared.actions.replies.release import give_back
from shared.models import ChatSession, User
from tests.channel import Channel
from tests.factories import (
    a_chat,
    a_claim,
    a_post,
    clock,
    nothing_changes,
    the_message,
    the_user,
)
from tests.integration.queue.waiting.asking import Three, edit, ids, in_order, listed, places_of, reorder
from workers.context.history import recent_messages


def test_what_waits_is_listed_in_its_order_with_its_replies(me: FlaskClient, chat: ChatSession, three: Three) -> None:
    a_post(a_chat(the_user(chat.owner_id)))
    a_claim(three[0])
    assert listed(me, chat) == ids(*three[1:])
    items = me.get(f"/chats/{chat.display_id}/queue").json["items"]
    assert [item["content"] for item in items] == ["Two", "", "Three", ""]
    assert items[1]["replyTo"] == items[0]["id"]


def test_the_list_has_pages(me: FlaskClient, chat: ChatSession, three: Three) -> None:
    page = me.get(f"/chats/{chat.id}/queue?limit=4").json
    assert [item["id"] for item in page["items"]] == ids(*three[:2])
    assert listed(me, chat, f"?limit=4&cursor={page['nextCursor']}") == ids(three[2])


def test_a_reply_that_ran_before_does_not_wait_here(me: FlaskClient, chat: ChatSession, three: Three) -> None:
    give_back(a_claim(three[0]), pause=60)
    assert listed(me, chat) == ids(*three[1:])


@pytest.mark.parametrize("order", [(2, 1, 0), (1, 2, 0), (0, 2, 1), (2, 0, 1)])
def test_messages_change_places_with_their_replies(
    order: tuple[int, ...], me: FlaskClient, chat: ChatSession, three: Three
) -> None:
    wanted = [three[number] for number in order]
    answer = reorder(me, chat, *wanted)
    assert answer.status_code == 200
    assert [item["id"] for item in answer.json["items"]] == ids(*wanted) == in_order(chat) == listed(me, chat)
    assert places_of(chat) == list(range(6))
    for posted in wanted:  # they get their turns in the new order, and each sees what stands before it
        claim = a_claim(posted)
        assert recent_messages(claim).messages[-1]["content"] == the_message(posted.message.id).content
        complete_reply(claim, Answer("Done"))


def test_a_message_that_moves_back_gives_its_turn_to_the_first(
    me: FlaskClient, chat: ChatSession, three: Three
) -> None:
    reorder(me, chat, *reversed(three))
    first, _, last = (the_message(posted.reply.id) for posted in reversed(three))
    assert first.dispatched_at
    assert (last.dispatched_at, last.hand_over_at, last.handovers) == (None, None, 0)
    assert claim_reply(last.id, "a worker with the old job") is None
    assert 86_000_000 < last.deadline_at - clock() <= 86_400_000


def test_behind_a_running_reply_nobody_has_a_turn(me: FlaskClient, chat: ChatSession, three: Three) -> None:
    a_claim(three[0])
    assert reorder(me, chat, three[2], three[1]).status_code == 200
    assert in_order(chat) == ids(three[0], three[2], three[1])
    assert not any(the_message(posted.reply.id).dispatched_at for posted in three[1:])


def test_each_moved_message_is_told_and_then_its_chat(
    me: FlaskClient, chat: ChatSession, user: User, three: Three, channel: Channel
) -> None:
    before = the_user(user.id).seq
    reorder(me, chat, three[0], three[2], three[1])
    heard = channel.heard()
    assert [event.name for event in heard] == ["message.updated"] * 4 + ["chat.updated"]
    assert [(event.data["id"], event.data.get("position")) for event in heard[:-1]] == [
        (one, place) for place, one in enumerate(ids(three[2], three[1]), 2)
    ]
    assert [event.data["seq"] for event in heard] == list(range(before + 1, before + 6))
    assert heard[-1].data == me.get(f"/chats/{chat.id}").json
    assert heard[-1].data["unread"] is False
    synced = me.get(f"/sync?after={before}").json
    assert [message["id"] for message in synced["messages"]] == ids(three[2], three[1])


def test_the_same_order_changes_nothing(me: FlaskClient, chat: ChatSession, three: Three) -> None:
    with nothing_changes():
        assert reorder(me, chat, *three).status_code == 200


@pytest.mark.parametrize("which", [(0, 1), (0, 1, 2, 3), (), (0, 1, 3)], ids=["fewer", "more", "none", "another"])
def test_an_order_of_other_messages_than_those_that_wait_is_refused(
    which: tuple[int, ...], me: FlaskClient, chat: ChatSession, three: Three
) -> None:
    others = [*three, a_post(a_chat(the_user(chat.owner_id)))]
    with nothing_changes():
        answer = reorder(me, chat, *(others[number] for number in which))
    assert (answer.status_code, answer.json["code"]) == (409, "queue_changed")


def test_an_order_that_names_a_claimed_message_is_refused(me: FlaskClient, chat: ChatSession, three: Three) -> None:
    a_claim(three[0])
    assert reorder(me, chat, *reversed(three)).json["code"] == "queue_changed"


def test_an_order_of_before_a_change_is_refused(me: FlaskClient, chat: ChatSession, three: Three) -> None:
    seen = max(item["seq"] for item in me.get(f"/chats/{chat.id}/queue").json["items"])
    edit(me, three[1], "Two and a half")
    assert reorder(me, chat, *reversed(three), if_seq=seen).json["code"] == "queue_changed"
    assert reorder(me, chat, *reversed(three)).status_code == 200


def test_of_two_devices_with_the_same_knowledge_one_succeeds(me: FlaskClient, chat: ChatSession, three: Three) -> None:
    seen = the_user(chat.owner_id).seq
    assert reorder(me, chat, *reversed(three), if_seq=seen).status_code == 200
    assert reorder(me, chat, three[1], three[0], three[2], if_seq=seen).status_code == 409


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"ifSeq": 1}, "order"),
        ({"order": []}, "ifSeq"),
        ({"order": ["a", "a"], "ifSeq": 1}, "order"),
        ({"order": ["a" * 37], "ifSeq": 1}, "order"),
        ({"order": "a", "ifSeq": 1}, "order"),
        ({"order": [1], "ifSeq": 1}, "order"),
        ({"order": [], "ifSeq": "1"}, "ifSeq"),
        ({"order": [], "ifSeq": -1}, "ifSeq"),
        ({"order": [str(n) for n in range(96)], "ifSeq": 1}, "order"),
    ],
)
def test_a_wrong_order_names_its_field(body: Any, field: str, me: FlaskClient, chat: ChatSession) -> None:
    answer = me.put(f"/chats/{chat.id}/queue", json=body)
    assert (answer.status_code, list(answer.json["errors"])) == (422, [field])


@pytest.mark.settings(max_waiting_replies=100, signup_credits=300)
def test_the_longest_order_fits(me: FlaskClient, chat: ChatSession) -> None:
    posts = [a_post(chat) for _ in range(95)]
    assert reorder(me, chat, *reversed(posts)).status_code == 200
    assert in_order(chat) == ids(*reversed(posts))
