"""Redis takes a piece of text only from the current attempt of a reply that is still open."""

from uuid import uuid4

from flask import Flask

from shared.actions.replies.finish import Answer, complete_reply
from shared.actions.replies.release import give_back
from shared.actions.replies.rescue import give_turns
from shared.core import current_link
from shared.models import ChatSession
from shared.redis import live_text
from shared.redis.link import RedisLink
from shared.settings import Settings
from shared.wire.events import Event, encode
from tests.channel import Channel
from tests.factories import a_claim, a_post, on_sqlite_only
from tests.integration.workers.live_text.worker_trip import put
from tests.services.redis import RedisServer


def test_text_for_a_closed_reply_is_refused_and_nobody_hears_it(chat: ChatSession, channel: Channel) -> None:
    claim = a_claim(a_post(chat))
    assert put(claim.id, 1, "a") == 1
    complete_reply(claim, Answer("a", finish_reason="stop"))
    channel.forget()
    assert put(claim.id, 1, "b") == -1
    assert channel.heard() == []
    assert live_text.read(current_link(), [(claim.id, 1)]) == [None]


def test_text_of_an_older_attempt_is_refused_and_the_newer_stays(chat: ChatSession, channel: Channel) -> None:
    posted = a_post(chat)
    first = a_claim(posted)
    assert put(first.id, 1, "old") == 1
    assert give_back(first, 0)
    give_turns()
    a_claim(posted)
    assert put(first.id, 2, "new") == 1
    channel.forget()
    assert put(first.id, 1, "zombie") == -1
    assert channel.heard() == []
    assert live_text.read(current_link(), [(first.id, 2)]) == [live_text.LiveText("new", 1)]


def test_one_trip_may_carry_some_that_are_refused(core: Flask, channel: Channel) -> None:
    def piece(message_id: str, attempt: int) -> live_text.Piece:
        event = encode(Event("nobody", "message.delta", {"messageId": message_id, "attempt": attempt}))
        return live_text.Piece(message_id, attempt, "text", event)

    assert live_text.append(current_link(), [piece("a", 2), piece("b", 1)]) == [1, 1]
    assert live_text.append(current_link(), [piece("a", 1), piece("b", 1), piece("a", 2)]) == [-1, 2, 2]
    heard = [(event.data["messageId"], event.data["attempt"]) for event in channel.heard()]
    assert heard == [("a", 2), ("b", 1), ("b", 1), ("a", 2)]


@on_sqlite_only
def test_live_text_of_an_unreachable_redis_is_none(settings: Settings, own_redis: RedisServer, core: Flask) -> None:
    link, reply = RedisLink(own_redis.url, settings.namespace), str(uuid4())
    assert put(reply, 1, "text", link) == 1
    own_redis.freeze()
    assert live_text.read(link, [(reply, 1), ("another", 1)]) == [None, None]
    assert put(reply, 1, "text", link) is None


def test_text_of_an_earlier_attempt_is_dropped_when_the_next_begins(chat: ChatSession, core: Flask) -> None:
    link, posted = current_link(), a_post(chat)
    first = a_claim(posted)
    live_text.append(link, [live_text.Piece(first.id, 1, "secret", b"[]")])
    with link.trip() as pipe:
        live_text.begin(link, pipe, first.id, 2)
    assert live_text.read(link, [(first.id, 1)]) == [None]


def test_lost_text_is_not_put_back_once_the_reply_is_closed(chat: ChatSession, core: Flask) -> None:
    link, claim = current_link(), a_claim(a_post(chat))
    live_text.rewrite(link, claim.id, 1, "text", 2)
    assert live_text.read(link, [(claim.id, 1)]) == [live_text.LiveText("text", 2)]
    with link.trip() as pipe:
        live_text.close(link, pipe, claim.id, 1)
    live_text.rewrite(link, claim.id, 1, "text", 2)
    assert live_text.read(link, [(claim.id, 1)]) == [None]
