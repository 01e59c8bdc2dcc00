"""Only a valid access token lets a socket in. A socket without one hears nothing, despite all its tries."""

import json
import time
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import jwt
import pytest

from tests.realtime.socket_server import IMPATIENT, PATIENCE, SocketServer, events_in
from tests.services.guard import Guard
from tests.services.redis import RedisServer
from tests.services.sockets import RawSocket


def none_signed(server: SocketServer) -> str:
    claims = jwt.decode(server.token("ada"), options={"verify_signature": False})
    return jwt.encode(claims, "", algorithm="none")


def signed_with_another_algorithm(server: SocketServer) -> str:
    claims = jwt.decode(server.token("ada"), options={"verify_signature": False})
    return jwt.encode(claims, server.secret * 2, algorithm="HS512")


def said_to_be_rs256(server: SocketServer) -> str:
    """The header says RS256, but the signature is an HMAC. A confused verifier takes it for a public key's."""
    _, body, signature = server.token("ada").split(".")
    return ".".join([jwt.utils.base64url_encode(b'{"alg":"RS256","typ":"JWT"}').decode(), body, signature])


def of_another_secret(server: SocketServer) -> str:
    claims = jwt.decode(server.token("ada"), options={"verify_signature": False})
    return jwt.encode(claims, server.secret[::-1], algorithm="HS256")


REFUSED = '44{"message":"unauthenticated"}'
NO_TOKEN: dict[str, Any] = {
    "no auth": lambda server: None,
    "a string": lambda server: "token",
    "a list": lambda server: [1],
    "no token": lambda server: {},
    "null": lambda server: {"token": None},
    "a number": lambda server: {"token": 7},
    "nonsense": lambda server: {"token": "a.b.c"},
    "nested": lambda server: {"token": {"token": server.token("ada")}},
    "none": lambda server: {"token": none_signed(server)},
    "HS512": lambda server: {"token": signed_with_another_algorithm(server)},
    "RS256": lambda server: {"token": said_to_be_rs256(server)},
    "another secret": lambda server: {"token": of_another_secret(server)},
    "a refresh token": lambda server: {"token": server.token("ada", aud="refresh")},
    "another audience": lambda server: {"token": server.token("ada", aud="somebody")},
    "another issuer": lambda server: {"token": server.token("ada", iss="somebody")},
    "no exp": lambda server: {"token": server.token("ada", exp=None)},
    "no sub": lambda server: {"token": server.token("ada", sub=None)},
    "no iat": lambda server: {"token": server.token("ada", iat=None)},
    "a number for sub": lambda server: {"token": server.token("ada", sub=1)},
    "from the future": lambda server: {"token": server.token("ada", iat=int(time.time()) + 3600)},
}


@pytest.fixture(scope="module")
def impatient(guard: Guard, redis_server: RedisServer) -> Iterator[SocketServer]:
    """A server that soon drops sockets without a valid token."""
    with SocketServer(guard, redis_server, "impatient", **IMPATIENT) as server:
        yield server


def test_without_a_valid_token_a_socket_is_refused_and_hears_nothing(impatient: SocketServer) -> None:
    server = impatient
    with server.let_in("ada") as ada, ExitStack() as stack:
        intruders = {}
        for kind, auth in NO_TOKEN.items():
            intruders[kind] = stack.enter_context(server.raw())
            assert intruders[kind].authenticate(auth(server)) == REFUSED, kind
        server.publish(("ada", "message.delta", {"text": "secret"}))
        assert events_in([ada.receive()]) == ["message.delta"]
        frames = {kind: intruder.until_closed(PATIENCE + 5) for kind, intruder in intruders.items()}
        assert frames == {kind: [REFUSED] for kind in NO_TOKEN}


def test_an_expired_token_is_told_from_a_wrong_one(server: SocketServer) -> None:
    with server.raw() as late:
        assert late.authenticate({"token": server.token("ada", lifetime=-1)}) == '44{"message":"token_expired"}'


def test_a_valid_token_is_let_in_and_hears_its_own_user_only(server: SocketServer) -> None:
    with server.let_in("ada") as ada, server.let_in("bob") as bob:
        server.publish(("ada", "for ada", {}), ("bob", "for bob", {}), ("eve", "for eve", {}), ("", "for all", {}))
        assert [ada.receive(), bob.receive()] == ['42["for ada",{}]', '42["for bob",{}]']
        assert ada.heard_for(0.2) == ada.frames[1:3]
        assert bob.heard_for(0.2) == bob.frames[1:3]


def test_whoever_sends_before_or_after_its_refusal_is_not_heard_and_hears_nothing(impatient: SocketServer) -> None:
    server = impatient
    with server.let_in("ada") as ada, server.raw() as intruder:
        intruder.send('42["auth.refresh",' + json.dumps({"token": server.token("ada")}) + "]")
        intruder.authenticate({"token": "wrong"})
        intruder.send('421["auth.refresh",' + json.dumps({"token": server.token("ada")}) + "]")
        intruder.send('42["message.delta",{"text":"forged"}]')
        server.publish(("ada", "secret", {}))
        assert ada.receive() == '42["secret",{}]'
        assert events_in(intruder.until_closed(PATIENCE + 5)) == []


NAMES = ["enter_room", "join", "subscribe", "message.created", "resync", "connect", "disconnect", "*", "", "auth"]


@pytest.mark.parametrize("data", [[], ["user:ada"], [{"room": "user:ada"}], [{}, {"token": "ada's"}]])
def test_nothing_that_a_client_sends_takes_it_into_a_room_or_reaches_others(server: SocketServer, data: Any) -> None:
    with server.let_in("ada") as ada, server.let_in("eve") as eve:
        sid = json.loads(ada.frames[1][2:])["sid"]
        data = json.loads(json.dumps(data).replace("ada's", server.token("ada")).replace("user:ada", sid))
        for name in NAMES:
            eve.send("42" + json.dumps([name, *data]))
        server.publish(("ada", "secret", {}), ("eve", "mark", {}))
        assert eve.receive() == '42["mark",{}]'
        assert ada.receive() == '42["secret",{}]'
        assert eve.heard_for(0.1) == eve.frames[1:3]


def test_sending_the_name_of_a_librarys_own_event_does_not_prolong_a_socket(server: SocketServer) -> None:
    with server.let_in("eve", lifetime=2) as eve:
        eve.send('42["disconnect","for the sake of it"]')
        assert events_in(eve.until_closed()) == ["socket.closing"]


def test_a_user_named_like_a_room_or_a_socket_is_only_itself(server: SocketServer) -> None:
    with server.let_in("ada") as ada, ExitStack() as stack:
        sid = json.loads(ada.frames[1][2:])["sid"]
        names = ["user:ada", sid, f"user:{sid}", "*", "None", " ada", "ADA"]
        sockets = [stack.enter_context(server.let_in(name)) for name in names]
        server.publish(("ada", "secret", {}))
        assert ada.receive() == '42["secret",{}]'
        assert [socket.heard_for(0.1)[1:] for socket in sockets] == [[]] * len(sockets)


ORIGINS = [
    "http://evil.example",
    "https://127.0.0.1:8001",
    "null",
    "*",
    "http://127.0.0.1:8001.evil.example",
    "http://localhost",
]


@pytest.mark.parametrize("origin", ORIGINS)
def test_a_page_of_another_site_gets_no_socket(server: SocketServer, origin: str) -> None:
    with pytest.raises(Exception, match="400"), RawSocket(server.url, origin=origin):
        pass


def test_our_own_page_gets_one(server: SocketServer) -> None:
    with RawSocket(server.url, origin=server.url) as page:
        assert page.authenticate({"token": server.token("ada")}).startswith('40{"sid"')
