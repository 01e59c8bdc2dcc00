"""No live text of a deleted reply comes back: neither by a claim's late trip nor after Redis lost its fence."""

from typing import Any

import pytest
from flask import Flask
from redis import Redis

from shared.actions.chats.delete import delete_chat
from shared.actions.replies.finish import Superseded
from shared.core import current_link
from shared.models import ChatSession
from shared.models.status import Status
from shared.redis import live_text
from shared.redis.live_text import Piece, append
from tests.eventually import eventually
from tests.factories import a_claim, a_post, change, meanwhile, on_sqlite_only
from tests.fake_model import FakeModel
from tests.integration.workers.live_text.worker_trip import put
from workers.outcome import Left, settle
from workers.reply import Desk, write_reply
from workers.run import Run

pytestmark = on_sqlite_only


def test_a_claims_trip_that_comes_after_the_deletion_opens_nothing(chat: ChatSession) -> None:
    claim, link = a_claim(a_post(chat)), current_link()
    delete_chat(chat.owner_id, chat.id)
    with link.trip() as pipe:
        live_text.begin(link, pipe, claim.id, claim.attempt)
    assert append(link, [Piece(claim.id, claim.attempt, "Secret", b'["nobody","resync",{}]')]) == [-1]


def test_a_trip_of_an_earlier_attempt_shuts_no_later_one_out(chat: ChatSession) -> None:
    claim, link = a_claim(a_post(chat)), current_link()
    for attempt in (2, 1):
        with link.trip() as pipe:
            live_text.begin(link, pipe, claim.id, attempt)
    pieces = [Piece(claim.id, attempt, "Text", b'["nobody","resync",{}]') for attempt in (1, 2)]
    assert append(link, pieces) == [-1, 1]


def test_a_worker_drops_what_a_redis_without_its_fence_took_of_a_deleted_reply(
    core: Flask, chat: ChatSession, desk: Desk, fake_model: FakeModel, redis: Redis
) -> None:
    posted, link = a_post(chat, "Please fake:chunks=10,every=1,gate=door"), current_link()
    attempt = [(posted.reply.id, 1)]
    with meanwhile(core, lambda: write_reply(posted.reply.id, desk)):
        try:
            eventually(lambda: live_text.read(link, attempt)[0])
            delete_chat(chat.owner_id, chat.id)
            redis.flushall()
        finally:
            fake_model.open_gate("door")
    assert live_text.read(link, attempt) == [None]


@pytest.mark.parametrize(
    ("row", "kept"),
    [
        ({"status": Status.RUNNING}, True),  # the worker's own clock says that its lease has lapsed
        ({"status": Status.PENDING}, True),  # the sweeper has given the reply back
        ({"status": Status.CANCELLED}, False),
        ({"attempt": 2}, False),
    ],
)
def test_a_superseded_worker_drops_its_text_only_if_the_row_says_that_nobody_reads_it(
    chat: ChatSession, redis: Redis, row: dict[str, Any], kept: bool
) -> None:
    claim, link = a_claim(a_post(chat)), current_link()
    redis.flushall()  # the fence is gone
    put(claim.id, claim.attempt, "Seen")
    change(claim.id, **row)
    settle(Run(claim), Left(Superseded()))
    assert [bool(text) for text in live_text.read(link, [(claim.id, claim.attempt)])] == [kept]
    assert put(claim.id, claim.attempt, "On its way") == (2 if kept else -1)
    assert put(claim.id, claim.attempt + 1, "The next attempt") == 1
    change(claim.id, status=Status.RUNNING, attempt=1)  # so that the money adds up
