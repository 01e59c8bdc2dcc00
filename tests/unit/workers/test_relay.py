"""The relay collects deltas: many replies in one trip, in order, and nothing after a reply's end."""

import json
from typing import Any

import pytest

from shared.actions.replies.claim import Claim
from shared.actions.replies.finish import Superseded
from shared.redis import live_text
from shared.redis.link import RedisLink
from tests.eventually import eventually
from workers.relay import LONGEST_PIECE, Relay
from workers.run import Run


class Redis:
    """Stands in for the live text. It answers as the test sets it, or as if each list held all pieces sent."""

    def __init__(self) -> None:
        self.trips: list[list[live_text.Piece]] = []
        self.rewritten: list[tuple[str, int, str, int]] = []
        self.lengths: dict[str, int] = {}
        self.away = False

    def append(self, link: RedisLink, pieces: list[live_text.Piece]) -> list[int] | None:
        self.trips.append(pieces)
        return None if self.away else [self._length(piece) for piece in pieces]

    def _length(self, piece: live_text.Piece) -> int:
        if self.lengths.get(piece.message_id) != -1:
            self.lengths[piece.message_id] = self.lengths.get(piece.message_id, 0) + 1
        return self.lengths[piece.message_id]

    def rewrite(self, link: RedisLink, message_id: str, attempt: int, text: str, pieces: int) -> None:
        self.rewritten.append((message_id, attempt, text, pieces))
        self.lengths[message_id] = pieces


@pytest.fixture
def redis(monkeypatch: pytest.MonkeyPatch) -> Redis:
    redis = Redis()
    monkeypatch.setattr(live_text, "append", redis.append)
    monkeypatch.setattr(live_text, "rewrite", redis.rewrite)
    return redis


@pytest.fixture
def relay(redis: Redis) -> Relay:
    return Relay(RedisLink("redis://127.0.0.1:1", "test"))  # the relay never opens this link


def a_run(name: str = "reply", attempt: int = 1) -> Run:
    return Run(Claim(name, attempt, "user", "chat", "question", "fake", 3))


def trip(relay: Relay) -> None:
    """Make one trip, as the relay's thread does again and again."""
    relay._send(relay._take())


def test_a_piece_becomes_a_delta_with_the_next_index(relay: Relay, redis: Redis) -> None:
    run = a_run(attempt=2)
    for text in ("one ", "two"):
        relay.add(run, text)
        trip(relay)
    pieces: list[Any] = [json.loads(trip[0].event) for trip in redis.trips]
    deltas = [{"messageId": "reply", "chatSessionId": "chat", "attempt": 2, "index": n} for n in range(2)]
    texts = [{"text": "one "}, {"text": "two"}]
    assert pieces == [["user", "message.delta", delta | text] for delta, text in zip(deltas, texts, strict=True)]
    assert [(trip[0].message_id, trip[0].attempt, trip[0].text) for trip in redis.trips] == [
        ("reply", 2, "one "),
        ("reply", 2, "two"),
    ]


def test_what_waits_goes_in_one_trip_with_one_delta_a_reply(relay: Relay, redis: Redis) -> None:
    first, second = a_run("first"), a_run("second")
    for run, text in ((first, "a"), (second, "x"), (first, "b"), (first, "c")):
        relay.add(run, text)
    trip(relay)
    assert [[(piece.message_id, piece.text) for piece in trip] for trip in redis.trips] == [
        [("first", "abc"), ("second", "x")]
    ]
    assert (first.sent, second.sent) == (["abc"], ["x"])


def test_its_thread_makes_the_trips(relay: Relay, redis: Redis) -> None:
    run = a_run()
    relay.start()
    relay.add(run, "one")
    eventually(lambda: redis.trips)
    relay.add(run, "two")
    eventually(lambda: len(redis.trips) == 2)


def test_without_anything_waiting_there_is_no_trip(relay: Relay, redis: Redis) -> None:
    trip(relay)
    assert redis.trips == []


def test_what_is_forgotten_is_not_sent(relay: Relay, redis: Redis) -> None:
    run = a_run()
    relay.add(run, "sent")
    trip(relay)
    relay.add(run, "not sent")
    relay.forget(run)
    trip(relay)
    assert run.sent == ["sent"]
    assert len(redis.trips) == 1


def test_a_refusal_cuts_the_run_and_the_others_go_on(relay: Relay, redis: Redis) -> None:
    refused, other = a_run("refused"), a_run("other")
    redis.lengths["refused"] = -1
    relay.add(refused, "a")
    relay.add(other, "b")
    trip(relay)
    assert isinstance(refused.cut, Superseded)
    assert (other.cut, redis.rewritten) == (None, [])


def test_a_list_that_is_too_short_is_written_again(relay: Relay, redis: Redis) -> None:
    run = a_run()
    for text in ("one ", "two "):
        relay.add(run, text)
        trip(relay)
    redis.lengths.clear()
    relay.add(run, "three")
    trip(relay)
    assert redis.rewritten == [("reply", 1, "one two three", 3)]
    relay.add(run, " four")
    trip(relay)
    assert len(redis.rewritten) == 1


def test_while_redis_is_away_indexes_go_on_and_the_text_is_made_up_for(relay: Relay, redis: Redis) -> None:
    run = a_run()
    redis.away = True
    relay.add(run, "one ")
    trip(relay)
    redis.away = False
    relay.add(run, "two")
    trip(relay)
    assert (run.sent, redis.rewritten) == (["one ", "two"], [("reply", 1, "one two", 2)])
    assert json.loads(redis.trips[-1][0].event)[2]["index"] == 1


def test_the_first_text_of_a_reply_does_not_wait_for_the_next_trip(
    relay: Relay, redis: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(relay, "_rest", lambda *_: 60.0)
    first, second = a_run("first"), a_run("second")
    relay.start()
    relay.add(first, "goes ")
    eventually(lambda: len(redis.trips) == 1)
    relay.add(first, "waits")
    relay.add(second, "goes at once")
    eventually(lambda: len(redis.trips) == 2)
    assert [piece.text for piece in redis.trips[1]] == ["waits", "goes at once"]


@pytest.mark.parametrize(
    ("a_second", "rest"), [(500, 0.005), (1_000, 0.01), (2_000, 0.035), (4_000, 0.085), (90_000, 0.09)]
)
def test_it_rests_the_longer_the_more_pieces_come(
    relay: Relay, monkeypatch: pytest.MonkeyPatch, a_second: int, rest: float
) -> None:
    """A trip takes a millisecond here. Twice that is less than the shortest rest."""
    for began in (n / 100 for n in range(1, 101)):
        monkeypatch.setattr("workers.relay.time.monotonic", lambda: began + 0.001)  # noqa: B023
        rests = relay._rest(began, a_second // 100)
    assert rests == pytest.approx(rest, abs=1e-6)


def test_a_huge_piece_goes_out_in_several_trips(relay: Relay, redis: Redis) -> None:
    run = a_run()
    relay.add(run, "x" * (LONGEST_PIECE + 10))
    trip(relay)
    relay.add(run, "y")
    trip(relay)
    assert [[(len(piece.text), piece.text[-1]) for piece in trip] for trip in redis.trips] == [
        [(LONGEST_PIECE, "x")],
        [(11, "y")],
    ]
