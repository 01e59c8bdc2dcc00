"""GET /sync: a client asks for changes after a number. The answer is all of one moment."""

from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import text

from shared.actions.chats.change import change_chat
from shared.actions.chats.delete import delete_chat
from shared.actions.messages.delete import delete_message
from shared.actions.replies.claim import Claim
from shared.actions.replies.release import give_back, release_reply
from shared.actions.sync import changes_since
from shared.core import current_link
from shared.database.units import query, write_unit
from shared.models import ChatSession, User
from shared.redis.live_text import Piece, append
from tests.channel import Channel
from tests.factories import a_chat, a_claim, a_post, at_once, change, everything, the_user


def test_without_after_there_is_only_the_cursor(me: FlaskClient, chat: ChatSession) -> None:
    a_post(chat)
    answer = me.get("/sync").json
    assert answer == {
        "chats": [],
        "messages": [],
        "credits": {"balance": 297, "held": 3},
        "cursor": the_user(chat.owner_id).seq,
        "hasMore": False,
    }
    assert me.get(f"/sync?after={answer['cursor']}").json == answer


def test_what_is_gone_is_a_tombstone_and_a_chats_stands_for_its_messages(me: FlaskClient, user: User) -> None:
    kept, doomed = a_chat(user), a_chat(user)
    a_post(doomed)
    gone = a_post(kept)
    cursor = the_user(user.id).seq
    delete_chat(user.id, doomed.id)
    delete_message(user.id, kept.id, gone.message.id)
    answer = me.get(f"/sync?after={cursor}").json
    assert answer["chats"] == [{"id": doomed.id, "seq": cursor + 1, "deleted": True}]
    assert answer["messages"] == [
        {"id": one.id, "chatSessionId": kept.id, "seq": cursor + 3 + at, "deleted": True}
        for at, one in enumerate((gone.message, gone.reply))
    ]


def test_a_running_reply_always_comes_with_its_text_so_far(me: FlaskClient, chat: ChatSession) -> None:
    claim = a_claim(a_post(chat))
    cursor = the_user(chat.owner_id).seq
    change(claim.id, content="From the checkpoint", live_index=1)
    (only,) = me.get(f"/sync?after={cursor}").json["messages"]
    assert (only["content"], only["nextIndex"], only["attempt"]) == ("From the checkpoint", 1, 1)
    for piece in ("And ", "more"):
        append(current_link(), [Piece(claim.id, 1, piece, b'["nobody","resync",{}]')])
    (only,) = me.get(f"/sync?after={cursor}").json["messages"]
    assert (only["content"], only["nextIndex"], only["seq"]) == ("And more", 2, cursor)


@pytest.mark.settings(redis_url="redis://127.0.0.1:1/0")
def test_it_needs_no_redis(me: FlaskClient, chat: ChatSession) -> None:
    claim = a_claim(a_post(chat))
    change(claim.id, content="From the checkpoint", live_index=1)
    answer = me.get("/sync?after=0").json
    assert [message["content"] for message in answer["messages"]][-1] == "From the checkpoint"
    assert answer["credits"] == {"balance": 297, "held": 3}


def test_who_was_away_for_too_long_or_is_ahead_has_to_start_anew(me: FlaskClient, chat: ChatSession) -> None:
    newest = the_user(chat.owner_id).seq
    for after in (newest + 1, 2**31, 2**80):
        assert me.get(f"/sync?after={after}").json == {"reset": True, "cursor": newest}
    with write_unit() as unit:
        unit.execute(text("UPDATE users SET pruned_seq = 1, seq = 3"))
    assert me.get("/sync?after=0").json == {"reset": True, "cursor": 3}
    assert me.get("/sync?after=1").json["cursor"] == 3


@pytest.mark.parametrize("query", ["after=-1", "after=x", "after=1.5", "after=", "limit=0", "limit=201", "since=1"])
def test_a_question_that_makes_no_sense_is_refused(query: str, me: FlaskClient) -> None:
    assert me.get(f"/sync?{query}").status_code == 422


def test_nobody_elses_changes_come(me: FlaskClient, user: User) -> None:
    theirs = a_post(content="Their secret")
    delete_chat(theirs.message.owner_id, a_chat(the_user(theirs.message.owner_id)).id)
    a_post(a_chat(user))
    answer = me.get("/sync?after=0")
    assert len(answer.json["messages"]) == 2
    assert "Their secret" not in answer.text
    assert theirs.message.owner_id not in answer.text


def test_it_is_all_of_one_moment(user: User, monkeypatch: pytest.MonkeyPatch, core: Flask) -> None:
    chat = a_chat(user)
    before = the_user(user.id).seq
    done: list[Any] = []

    def renamed_after_the_first(*args: Any) -> Any:
        rows = query(*args)
        if not done:
            done.extend(at_once(core, lambda: (a_post(chat), change_chat(user.id, chat.id, "Later"))))
        return rows

    monkeypatch.setattr("shared.actions.sync.query", renamed_after_the_first)
    found = changes_since(user.id, 0, 50)
    assert (found.cursor, found.messages, found.account.held) == (before, [], 0)
    assert [one.title for one in found.chats] == ["New chat"]
    assert the_user(user.id).seq == before + 4


@pytest.mark.parametrize("give_back", [lambda claim: give_back(claim, 0), release_reply], ids=["failed", "drained"])
def test_giving_a_reply_back_is_told(
    give_back: Callable[[Claim], bool], me: FlaskClient, chat: ChatSession, channel: Channel
) -> None:
    claim = a_claim(a_post(chat))
    cursor = the_user(chat.owner_id).seq
    assert give_back(claim)
    (updated,) = channel.named("message.updated")
    assert (updated.data["status"], updated.data["seq"], updated.data["attempt"]) == ("pending", cursor + 1, 1)
    (changed,) = me.get(f"/sync?after={cursor}").json["messages"]
    assert changed.pop("queue")["ahead"] == 0  # events have no place in the queue (D-156)
    assert changed == updated.data
    before = everything()
    assert not give_back(claim)
    assert everything() == before
