"""A failure or a stop parks its chat. Waiting replies get no turn until a new post, or until the owner goes on."""

from collections.abc import Callable

import pytest
from flask.testing import FlaskClient

import shared.actions.replies.rescue
from shared.actions.messages.accept import Posted
from shared.actions.replies.finish import Answer, complete_reply, fail_reply
from shared.actions.replies.release import give_back
from shared.actions.replies.rescue import expire_overdue, give_turns
from shared.actions.replies.stop import stop_reply
from shared.errors.replies import ModelRejected
from shared.models import ChatSession, User
from tests.channel import Channel
from tests.factories import a_chat, a_claim, a_post, change, nothing_changes, past, the_chat, the_message, the_user

ENDINGS: dict[str, Callable[[Posted], object]] = {
    "fail": lambda posted: fail_reply(a_claim(posted), ModelRejected(), Answer("")),
    "stop": lambda posted: stop_reply(posted.reply.owner_id, posted.reply.chat_session_id, posted.reply.id),
}


def has_its_turn(posted: Posted) -> bool:
    return the_message(posted.reply.id).dispatched_at is not None


@pytest.mark.parametrize("end", ENDINGS)
def test_a_parked_chat_waits_and_others_go_on(end: str, user: User, chat: ChatSession, channel: Channel) -> None:
    first, waiting = a_post(chat), a_post(chat)
    elsewhere, third = a_post(a_chat(user)), a_post(a_chat(user))
    assert not has_its_turn(third)
    ENDINGS[end](first)
    assert the_chat(chat.id).parked_at
    assert [has_its_turn(posted) for posted in (waiting, elsewhere, third)] == [False, True, True]
    (told,) = channel.named("chat.updated")
    assert (told.data["id"], told.data["parked"], told.data["seq"]) == (chat.id, True, the_chat(chat.id).seq)


@pytest.mark.parametrize("end", ENDINGS)
def test_a_chat_with_nothing_waiting_is_parked_too(end: str, chat: ChatSession) -> None:
    ENDINGS[end](a_post(chat))
    assert the_chat(chat.id).parked_at


def test_what_was_not_a_failure_or_a_stop_parks_nothing(chat: ChatSession) -> None:
    complete_reply(a_claim(a_post(chat)), Answer("Done", finish_reason="stop"))
    a_claim(a_post(chat))
    change(a_post(chat).reply.id, deadline_at=past(1))
    assert expire_overdue() == 1
    assert the_chat(chat.id).parked_at is None


@pytest.mark.parametrize("end", ENDINGS)
def test_a_new_post_has_a_parked_chat_go_on(end: str, chat: ChatSession) -> None:
    first, waiting = a_post(chat), a_post(chat)
    ENDINGS[end](first)
    newest = a_post(chat)
    assert the_chat(chat.id).parked_at is None
    assert [has_its_turn(posted) for posted in (waiting, newest)] == [True, False]


@pytest.mark.parametrize("ref", ["id", "display_id"])
def test_resuming_gives_the_next_one_its_turn(
    ref: str, me: FlaskClient, chat: ChatSession, user: User, channel: Channel
) -> None:
    first, waiting = a_post(chat), a_post(chat)
    ENDINGS["stop"](first)
    channel.forget()
    before = the_user(user.id).seq
    answer = me.post(f"/chats/{getattr(chat, ref)}/queue/resume")
    assert (answer.status_code, answer.json["parked"], answer.json["seq"]) == (200, False, before + 1)
    assert answer.json == me.get(f"/chats/{chat.id}").json
    (told,) = channel.heard()
    assert (told.name, told.data) == ("chat.updated", answer.json)
    assert a_claim(waiting)


def test_resuming_a_chat_that_is_not_parked_changes_nothing(
    me: FlaskClient, chat: ChatSession, channel: Channel
) -> None:
    a_post(chat)
    channel.forget()
    with nothing_changes():
        assert me.post(f"/chats/{chat.id}/queue/resume").json["parked"] is False
    assert channel.heard() == []


def test_the_sweeper_takes_no_lock_for_a_parked_chat(
    user: User, chat: ChatSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, waiting = a_post(chat), a_post(chat)
    ENDINGS["fail"](first)
    asked: list[str] = []
    monkeypatch.setattr(shared.actions.replies.rescue, "_give_turns", lambda owner: asked.append(owner) or [])
    assert (give_turns(), asked) == (0, [])
    monkeypatch.undo()
    change(a_post(a_chat(user)).reply.id, dispatched_at=None)  # a chat beside it that is not parked
    assert give_turns() == 1
    assert not has_its_turn(waiting)


def test_what_had_begun_goes_on_in_a_parked_chat(user: User, chat: ChatSession) -> None:
    # Given a reply in the hands of a worker, and a stopped one behind it
    first, waiting = a_post(chat), a_post(chat)
    claim = a_claim(first)
    stop_reply(user.id, chat.id, waiting.reply.id)
    assert the_chat(chat.id).parked_at
    # When its attempt is given back
    assert give_back(claim, pause=0)
    # Then it gets its turn again, at once from the dispatch, or later from the sweeper
    assert has_its_turn(first)
    change(first.reply.id, dispatched_at=None)
    assert give_turns() == 1
    assert has_its_turn(first)
