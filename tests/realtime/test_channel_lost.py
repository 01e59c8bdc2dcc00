"""F15: `realtime` loses the channel in each known way, and finds it again. `resync` tells its clients to ask."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from redis import Redis

from tests.eventually import eventually
from tests.realtime.socket_server import SocketServer
from tests.services.sockets import SocketClient

SELF_CHECK = {"HOLDFAST_SELF_CHECK_SECONDS": "1"}
# Seconds: the promised time, less the seconds that the tests' short self-check saves.
UNREADY_WITHIN = 15.0


@pytest.fixture
def server(start: Callable[..., SocketServer]) -> SocketServer:
    return start(**SELF_CHECK)


@pytest.fixture
def ada(server: SocketServer) -> Iterator[SocketClient]:
    with server.client("ada") as ada:
        yield ada


@contextmanager
def deaf_and_well_again(server: SocketServer, ada: SocketClient) -> Iterator[None]:
    """Readiness fails until the block undoes the harm. Then all is as before, on the same socket."""
    eventually(lambda: not server.ready, UNREADY_WITHIN)
    assert server.status("/healthz") == 200
    yield
    eventually(lambda: server.ready, 10)
    ada.wait_for_name("resync")
    hears_again(server, ada)


def hears_again(server: SocketServer, ada: SocketClient) -> None:
    server.publish(("ada", "after", {}))
    ada.wait_for_name("after")
    assert ada.connections == 1


def kill_subscriptions(server: SocketServer) -> None:
    with Redis.from_url(server.redis.url) as redis:
        assert redis.client_kill_filter(_type="pubsub") == 1


def test_a_killed_subscription_is_made_anew_within_a_second_and_says_so(
    server: SocketServer, ada: SocketClient
) -> None:
    for count in (1, 2):
        kill_subscriptions(server)
        eventually(lambda: len(ada.named("resync")) == count, within=5)  # noqa: B023 - the wait ends within its round
    hears_again(server, ada)
    assert server.ready


def test_after_resync_is_said_nothing_more_is_missed(server: SocketServer, ada: SocketClient) -> None:
    """`resync` has to follow the subscription. Otherwise a client asks too early, and misses the next event."""
    for number in range(20):
        kill_subscriptions(server)
        eventually(lambda: len(ada.named("resync")) == number + 1, within=5)  # noqa: B023
        server.publish(("ada", f"event {number}", {}))
        ada.wait_for_name(f"event {number}", within=2)


def test_redis_away_and_back(server: SocketServer, ada: SocketClient) -> None:
    server.redis.kill()
    with deaf_and_well_again(server, ada):
        server.redis.start()


def test_redis_half_dead_is_noticed(server: SocketServer, ada: SocketClient) -> None:
    """A frozen Redis keeps every connection open and says nothing."""
    server.redis.freeze()
    with deaf_and_well_again(server, ada):
        server.redis.thaw()


def test_started_without_redis_it_waits_for_it(start: Callable[..., SocketServer]) -> None:
    server = start(**SELF_CHECK)
    server.service.kill()
    server.redis.kill()
    server.service.start()
    eventually(lambda: server.status("/readyz") == 503, 10)
    with server.client("ada") as ada:
        server.redis.start()
        eventually(lambda: server.ready, 10)
        ada.wait_for_name("resync")
        hears_again(server, ada)


DEEP = b'[["ada","x",' + b'{"a":' * 50_000 + b"1" + b"}" * 50_000 + b"]]"


def test_an_exception_does_not_leave_it_deaf(server: SocketServer, ada: SocketClient) -> None:
    server.publish_bytes(DEEP)
    ada.wait_for_name("resync")
    assert "RecursionError" in server.service.log
    hears_again(server, ada)


@pytest.mark.parametrize(
    "junk",
    [
        *(b"", b"null", b"{}", b"[1]", b'[["ada"]]', b"[[1,2,3]]", b"\xff\xfe", b'[["ada","x",[]]]', b'[["","",{}]]'),
        *(b'[["ada","x",{"a":"\xff"}]]', b'[["ada","\xff",{}]]', b'[["ad\xff","x",{}]]'),
    ],
)
def test_junk_on_the_channel_changes_nothing(server: SocketServer, ada: SocketClient, junk: bytes) -> None:
    server.publish_bytes(junk)
    hears_again(server, ada)
    assert [event.name for event in ada.heard] == ["after"]


def test_forged_messages_of_the_librarys_own_protocol_do_nothing(server: SocketServer, ada: SocketClient) -> None:
    sid = ada.sid
    forged = {"method": "enter_room", "sid": sid, "room": "user:bob", "namespace": "/", "host_id": "x"}
    with Redis.from_url(server.redis.url) as redis:
        for channel in ("socketio", server.link.channel):
            redis.publish(channel, json.dumps(forged))
            redis.publish(channel, json.dumps({"method": "emit", "event": "x", "data": {}, "namespace": "/"}))
    server.publish(("bob", "secret", {}))
    hears_again(server, ada)
    assert [event.name for event in ada.heard] == ["after"]


def test_another_environments_events_never_arrive(server: SocketServer, ada: SocketClient) -> None:
    with Redis.from_url(server.redis.url) as redis:
        redis.publish("holdfast:production:events", json.dumps([["ada", "not ours", {}]]))
    hears_again(server, ada)
    assert [event.name for event in ada.heard] == ["after"]
