"""A socket lives as long as its token, which the client may renew. A revoked token ends the socket."""

import json
import time
from collections.abc import Callable
from uuid import uuid4

import pytest
from redis import Redis

from shared.redis.revocations import of_session, of_user, revocations_key
from tests.eventually import eventually, patience
from tests.fair_clock import CLOCK
from tests.realtime.socket_server import SocketServer, events_in
from tests.services.sockets import RawSocket

# Seconds: the promised time.
REVOKED_WITHIN = 5.0


def closing(frames: list[str]) -> list[str]:
    """The server's reasons for the end."""
    said = [json.loads(frame[2:]) for frame in frames if frame.startswith("42")]
    return [data["code"] for name, data in said if name == "socket.closing"]


@pytest.fixture
def user() -> str:
    return uuid4().hex


def refresh(raw: RawSocket, token: object) -> str:
    raw.send("427" + json.dumps(["auth.refresh", {"token": token}]))
    return raw.receive()


def test_a_socket_ends_with_its_token_and_is_told_why(server: SocketServer, user: str) -> None:
    start = time.time()
    with server.let_in(user, lifetime=2) as raw:
        frames = raw.until_closed()
        assert closing(frames) == ["token_expired"]
        assert frames[-1] == "41"  # the goodbye of the protocol, which client libraries know
        assert time.time() - start > 1  # a token ends on a whole second


def test_after_its_end_no_event_reaches_it(server: SocketServer, user: str) -> None:
    with server.let_in(user) as witness, server.let_in(user, lifetime=1) as raw:
        while raw.receive() != "41":
            pass
        server.publish((user, "secret", {}))  # the transport may still be open
        assert witness.receive() == '42["secret",{}]'
        assert "secret" not in events_in(raw.until_closed())


def test_a_fresh_token_renews_it_in_place(server: SocketServer, user: str) -> None:
    with server.let_in(user, lifetime=2) as raw:
        assert refresh(raw, server.token(user, lifetime=60)) == '437[{"ok":true}]'
        assert raw.heard_for(3.5) == raw.frames[1:3]
        server.publish((user, "still here", {}))
        raw.socket.settimeout(patience(5))
        assert raw.receive() == '42["still here",{}]'


def test_a_token_that_does_not_do_leaves_it_as_it_was(server: SocketServer, user: str) -> None:
    with server.let_in(user, lifetime=3) as raw:
        for token in (server.token("somebody else"), server.token(user, lifetime=-5), "nonsense", None, 7):
            assert refresh(raw, token) in ('437[{"code":"unauthenticated"}]', '437[{"code":"token_expired"}]')
        raw.send('427["auth.refresh"]')
        assert raw.receive() == '437[{"code":"unauthenticated"}]'
        raw.send('427["auth.refresh",1,2,3]')
        assert raw.receive() == '437[{"code":"unauthenticated"}]'
        server.publish(("somebody else", "not ours", {}), (user, "ours", {}))
        assert raw.receive() == '42["ours",{}]'
        assert closing(raw.until_closed()) == ["token_expired"]


@pytest.mark.parametrize("of", ["user", "session"])
def test_a_revoked_socket_is_closed_in_time_and_its_token_is_of_no_more_use(
    server: SocketServer, user: str, of: str
) -> None:
    sid = uuid4().hex
    token = server.token(user, iat=int(time.time()) - 1, sid=sid)
    with server.raw() as raw, server.let_in(user, iat=int(time.time()) - 1, sid="another sign-in") as other:
        raw.authenticate({"token": token})
        revoked_at = time.time()
        server.revoke(of_user(user) if of == "user" else of_session(sid), revoked_at - 1)
        while raw.receive() != "41":
            pass
        assert CLOCK.between(revoked_at, time.time()) < REVOKED_WITHIN
        assert closing(raw.frames) == ["unauthenticated"]
        with server.raw() as again:
            assert again.authenticate({"token": token}) == '44{"message":"unauthenticated"}'
        if of == "user":
            assert closing(other.until_closed()) == ["unauthenticated"]
        else:
            server.publish((user, "goes on", {}))
            assert other.receive() == '42["goes on",{}]'


def test_a_token_issued_after_the_revocation_is_good(server: SocketServer, user: str) -> None:
    moment = int(time.time()) - 2
    with server.let_in(user, iat=moment) as old:
        server.revoke(of_user(user), moment)
        old.until_closed()
        with server.let_in(user, iat=moment + 1) as new:
            server.publish((user, "welcome back", {}))
            assert new.receive() == '42["welcome back",{}]'


def test_a_revoked_token_can_not_renew(server: SocketServer, user: str) -> None:
    with server.let_in(user, sid="kept") as raw, server.let_in(user, sid="gone") as gone:
        server.revoke(of_session("gone"), time.time() + 60)
        gone.until_closed()  # by now the server has read the revocations
        assert refresh(raw, server.token(user, sid="gone")) == '437[{"code":"unauthenticated"}]'
        assert refresh(raw, server.token(user, sid="kept")) == '437[{"ok":true}]'


def test_what_was_revoked_stays_so_while_redis_is_away_or_emptied(start: Callable[..., SocketServer]) -> None:
    server = start()
    token = server.token("ada", iat=int(time.time()) - 1)
    with server.raw() as raw:
        raw.authenticate({"token": token})
        server.revoke(of_user("ada"), time.time() - 1)
        raw.until_closed()
    with Redis.from_url(server.redis.url) as redis:
        redis.flushall()
    server.publish_bytes(b"[]")
    time.sleep(2.5)  # time for another reading, of the empty Redis
    with server.raw() as raw:
        assert raw.authenticate({"token": token}) == '44{"message":"unauthenticated"}'
    server.redis.kill()
    with server.raw() as raw:
        assert raw.authenticate({"token": token}) == '44{"message":"unauthenticated"}'


def test_junk_beside_what_was_revoked_hides_nothing(start: Callable[..., SocketServer]) -> None:
    server = start()
    with Redis.from_url(server.redis.url) as redis:
        redis.hset(revocations_key(server.link), mapping={"user:eve": "9" * 5_000, "user:bob": "soon", b"\xff": "7"})
    with server.let_in("ada", iat=int(time.time()) - 1) as raw:
        server.revoke(of_user("ada"), time.time() - 1)
        assert closing(raw.until_closed()) == ["unauthenticated"]


def test_another_type_of_value_where_it_reads_what_was_revoked_leaves_it_hearing(
    start: Callable[..., SocketServer],
) -> None:
    server = start()
    with Redis.from_url(server.redis.url) as redis, server.client("ada") as ada:
        before = len(server.service.log)  # other tests' servers wrote the log so far
        redis.set(revocations_key(server.link), "no hash")
        eventually(lambda: server.service.log.count("WRONGTYPE", before) >= 3, within=15)  # after three readings
        redis.delete(revocations_key(server.link))  # the next test's Redis starts from the same folder
        assert "deaf" not in server.service.log[before:]
        assert server.ready
        assert ada.named("resync") == []


def test_what_was_revoked_while_redis_or_realtime_was_away_counts_afterwards(
    start: Callable[..., SocketServer],
) -> None:
    server = start()
    old = int(time.time()) - 1
    server.service.kill()
    server.revoke(of_user("ada"), time.time() - 1)
    server.service.start()
    server.wait_until_ready()
    with server.raw() as raw:
        raw.authenticate({"token": server.token("ada", iat=old)})
        assert "41" in [*raw.frames[1:], *raw.until_closed()] or raw.frames[1].startswith("44")
    with server.let_in("bob", iat=old) as raw:
        server.redis.kill()
        server.redis.start()
        server.revoke(of_user("bob"), time.time() - 1)
        assert closing(raw.until_closed()) == ["unauthenticated"]
