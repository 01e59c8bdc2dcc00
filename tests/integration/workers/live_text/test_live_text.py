"""The text of a running reply is whole and in order for every reader. Only the current attempt's text shows."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from redis import Redis

from shared.actions.messages.accept import Posted
from shared.core import current_link
from shared.models import ChatSession
from shared.redis import live_text
from shared.settings import Settings
from tests.channel import Channel
from tests.eventually import eventually
from tests.factories import a_claim, a_post, change, meanwhile, the_message
from tests.fake_model import FakeModel
from tests.integration.workers.live_text.worker_trip import put
from workers.relay import Relay
from workers.reply import Desk, write_reply
from workers.run import Run
from workers.watchdog import Watchdog


@contextmanager
def held_after_its_first_piece(core: Flask, chat: ChatSession, desk: Desk, model: FakeModel) -> Iterator[Posted]:
    """A reply whose model has said `word0 `. The model goes on after the block, or when the test opens `door`."""
    posted = a_post(chat, "Please fake:chunks=10,every=1,gate=door")
    with meanwhile(core, lambda: write_reply(posted.reply.id, desk)):
        try:
            eventually(lambda: live_text.read(current_link(), [(posted.reply.id, 1)])[0])
            yield posted
        finally:
            model.open_gate("door")


def shown(me: FlaskClient, posted: Posted) -> dict[str, Any]:
    """The answer to a GET of the reply. The list must have the same row."""
    one = me.get(f"/chats/{posted.reply.chat_session_id}/messages/{posted.reply.id}").json
    listed = me.get(f"/chats/{posted.reply.chat_session_id}/messages").json["items"][-1]
    assert one == listed
    return dict(one)


def test_a_look_at_a_running_reply_shows_its_text_so_far(
    core: Flask, me: FlaskClient, chat: ChatSession, desk: Desk, fake_model: FakeModel
) -> None:
    with held_after_its_first_piece(core, chat, desk, fake_model) as posted:
        found = shown(me, posted)
        assert (found["status"], found["attempt"]) == ("running", 1)
        assert (found["content"], found["nextIndex"]) == ("word0 ", 1)
    found = shown(me, posted)
    assert (found["status"], found["content"]) == ("completed", "".join(f"word{n} " for n in range(10)))
    assert "nextIndex" not in found


@pytest.mark.settings(model="fake:chunks=40,every=5")
def test_deltas_come_in_order_without_gap_and_make_up_the_text(chat: ChatSession, desk: Desk, channel: Channel) -> None:
    posted = a_post(chat)
    write_reply(posted.reply.id, desk)
    deltas = [event.data for event in channel.named("message.delta")]
    assert len(deltas) > 5
    assert [delta["index"] for delta in deltas] == list(range(len(deltas)))
    assert {(d["messageId"], d["chatSessionId"], d["attempt"]) for d in deltas} == {(posted.reply.id, chat.id, 1)}
    row = the_message(posted.reply.id)
    (completed,) = channel.named("message.completed")
    # the final event has the pieces that the last trip had no time for
    assert row.content.startswith("".join(delta["text"] for delta in deltas))
    assert completed.data["nextIndex"] == row.live_index
    assert len(deltas) in (row.live_index, row.live_index - 1)
    names = [event.name for event in channel.heard()]
    assert "message.delta" not in names[names.index("message.completed") :]


def test_a_replaced_worker_stops_at_its_next_piece(
    core: Flask, chat: ChatSession, desk: Desk, fake_model: FakeModel, channel: Channel
) -> None:
    with held_after_its_first_piece(core, chat, desk, fake_model) as posted:
        # as if its lease had lapsed and another worker had taken it
        change(posted.reply.id, attempt=2)
        with current_link().trip() as pipe:
            live_text.begin(current_link(), pipe, posted.reply.id, 2)
    row = the_message(posted.reply.id)
    assert (row.status, row.attempt, row.content) == ("running", 2, "")
    assert {event.data["index"] for event in channel.named("message.delta")} == {0}
    assert "message.completed" not in channel.names()


@pytest.mark.settings(lease_seconds=30.0)  # so long a lease rules out a checkpoint
def test_what_redis_lost_in_the_middle_is_whole_again(
    core: Flask, me: FlaskClient, chat: ChatSession, settings: Settings, desk: Desk, fake_model: FakeModel
) -> None:
    posted = a_post(chat, "Please fake:chunks=5000,every=10,gate=door")
    with meanwhile(core, lambda: write_reply(posted.reply.id, desk)), Redis.from_url(settings.redis_url) as redis:
        fake_model.open_gate("door")
        eventually(lambda: (shown(me, posted).get("nextIndex") or 0) > 3)
        redis.flushall()
        before = fake_model.requests[0].sent
        found = eventually(lambda: is_whole(shown(me, posted), before))
        assert found["nextIndex"] > 3
        me.delete(f"/chats/{chat.id}")


def is_whole(found: dict[str, Any], pieces: int) -> dict[str, Any]:
    words = found["content"].split()
    assert words == [f"word{n}" for n in range(len(words))]
    assert len(words) > pieces
    return found


def test_without_live_text_the_checkpoint_is_shown(me: FlaskClient, chat: ChatSession) -> None:
    posted = a_post(chat)
    change(a_claim(posted).id, content="Saved so far", live_index=4)
    found = shown(me, posted)
    assert (found["content"], found["nextIndex"]) == ("Saved so far", 4)


def test_of_live_text_and_checkpoint_the_longer_is_shown(me: FlaskClient, chat: ChatSession) -> None:
    posted = a_post(chat)
    claim = a_claim(posted)
    change(claim.id, content="Saved", live_index=1)
    for index, (text, expected) in enumerate([("Saved", "Saved"), (" and more", "Saved and more")], start=1):
        put(claim.id, 1, text)
        found = shown(me, posted)
        assert (found["content"], found["nextIndex"]) == (expected, index)
    change(claim.id, content="Saved and more, and yet more", live_index=3)
    found = shown(me, posted)
    assert (found["content"], found["nextIndex"]) == ("Saved and more, and yet more", 3)


@pytest.mark.settings(lease_seconds=1.0)
def test_a_checkpoint_holds_exactly_the_deltas_that_it_counts(
    core: Flask, settings: Settings, chat: ChatSession
) -> None:
    # Given two pieces, and a relay without its thread that has taken only the first
    relay, watchdog = Relay(current_link()), Watchdog(core, settings)
    run = Run(a_claim(a_post(chat)))
    for piece in ("one ", "two"):
        relay._send(relay._take())
        run.add(piece)
        relay.add(run, piece)
    # When the watchdog saves the text
    watchdog.start()
    watchdog.watch(run)
    eventually(lambda: the_message(run.claim.id).live_index, within=5)
    watchdog.leave(run)
    # Then a client that reads the text and goes on at nextIndex hears "two" once
    assert (the_message(run.claim.id).content, the_message(run.claim.id).live_index) == ("one ", 1)
