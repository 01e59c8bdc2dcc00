"""Fair turns: one reply at a time in a chat, MAX_ACTIVE_REPLIES for a user, in the order of the posts."""

import pytest
from flask import Flask

from shared.actions.messages.accept import Posted
from shared.actions.queue.dispatch import dispatch
from shared.actions.replies.finish import Answer, complete_reply
from shared.actions.replies.rescue import give_turns
from shared.database.units import write_unit
from shared.models import ChatSession, User
from tests.factories import a_chat, a_claim, a_post, a_user, at_once, change, clock, past, the_message


def has_its_turn(posted: Posted) -> bool:
    return the_message(posted.reply.id).dispatched_at is not None


def turns(*posts: Posted) -> list[bool]:
    return [has_its_turn(posted) for posted in posts]


def finish(posted: Posted) -> None:
    complete_reply(a_claim(posted), Answer("Done", finish_reason="stop"))


def test_a_chat_gets_one_turn_at_a_time_in_order(chat: ChatSession) -> None:
    first, second, third = a_post(chat), a_post(chat), a_post(chat)
    assert turns(first, second, third) == [True, False, False]
    finish(first)
    assert turns(second, third) == [True, False]
    finish(second)
    assert has_its_turn(third)


def test_a_running_reply_keeps_its_turn(chat: ChatSession) -> None:
    first, second = a_post(chat), a_post(chat)
    a_claim(first)
    give_turns()
    assert not has_its_turn(second)


def test_a_user_gets_two_turns_and_the_third_chat_waits(user: User) -> None:
    posts = [a_post(a_chat(user)) for _ in range(3)]
    assert turns(*posts) == [True, True, False]
    finish(posts[1])
    assert has_its_turn(posts[2])


@pytest.mark.settings(max_active_replies=3)
def test_the_number_of_turns_is_a_setting(user: User) -> None:
    posts = [a_post(a_chat(user)) for _ in range(4)]
    assert turns(*posts) == [True, True, True, False]


def test_a_free_turn_goes_to_the_oldest_reply(user: User) -> None:
    chats = [a_chat(user) for _ in range(4)]
    running = [a_post(chats[0]), a_post(chats[1])]
    older, newer = a_post(chats[3]), a_post(chats[2])
    finish(running[0])
    assert turns(older, newer) == [True, False]


def test_another_user_is_not_delayed(user: User) -> None:
    for _ in range(5):
        a_post(a_chat(user))
    assert has_its_turn(a_post(a_chat(a_user())))


def test_a_pause_that_is_not_over_keeps_the_reply_and_its_chat_waiting(user: User, chat: ChatSession) -> None:
    paused, behind = a_post(chat), a_post(chat)
    change(paused.reply.id, dispatched_at=None, not_before=past(-60))
    elsewhere = [a_post(a_chat(user)), a_post(a_chat(user))]
    give_turns()
    assert turns(paused, behind, *elsewhere) == [False, False, True, True]


def test_a_pause_that_is_over_blocks_nothing(chat: ChatSession) -> None:
    paused = a_post(chat)
    change(paused.reply.id, dispatched_at=None, not_before=past(0.001))
    give_turns()
    assert has_its_turn(paused)


@pytest.mark.settings(queue_timeout=100.0, turn_timeout=1000.0)
def test_the_queue_deadline_starts_with_the_turn(chat: ChatSession) -> None:
    first, second = a_post(chat), a_post(chat)
    left = [the_message(posted.reply.id).deadline_at - clock() for posted in (first, second)]
    assert 90_000 < left[0] <= 100_000
    assert 990_000 < left[1] <= 1_000_000


def test_a_reply_that_ran_before_keeps_its_deadline(chat: ChatSession) -> None:
    posted = a_post(chat)
    change(posted.reply.id, attempt=1, dispatched_at=None, deadline_at=past(-5))
    before = the_message(posted.reply.id).deadline_at
    give_turns()
    assert has_its_turn(posted)
    assert the_message(posted.reply.id).deadline_at == before


def test_two_who_dispatch_at_once_give_no_turn_twice(core: Flask, user: User) -> None:
    posts = [a_post(a_chat(user)) for _ in range(4)]
    for posted in posts:
        change(posted.reply.id, dispatched_at=None)
    assert sorted(at_once(core, give_turns, give_turns, give_turns)) == [0, 0, 2]
    assert turns(*posts) == [True, True, False, False]


def test_nothing_to_give_is_no_turn(user: User) -> None:
    with write_unit():
        assert dispatch(user.id) == []
