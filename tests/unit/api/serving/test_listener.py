"""Accepting: many clients may wait, a few are accepted at a time, and each has its address even if it has gone."""

import asyncio
import socket
import struct
from collections.abc import Callable, Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from typing import Any

import pytest
import uvicorn
from uvicorn.server import ServerState

from api import web
from api.serving.connection import Connection
from api.serving.crowd import Crowd, Limits
from api.serving.listener import _GONE_AT_ONCE, AT_ONCE, Listener
from shared.settings import load_settings
from tests.eventually import patience

MANY = 5 * AT_ONCE
RESET = struct.pack("ii", 1, 0)


@pytest.fixture
def listener() -> Iterator[Listener]:
    with closing(Listener.of(socket.create_server(("127.0.0.1", 0), backlog=2 * MANY))) as listener:
        yield listener


@pytest.fixture
def stack() -> Iterator[ExitStack]:
    with ExitStack() as stack:
        yield stack


class Accepted(asyncio.Protocol):
    """A connection that the event loop has accepted."""

    def __init__(self, all_of_them: list["Accepted"]) -> None:
        all_of_them.append(self)

    def connection_made(self, transport: Any) -> None:
        self.transport = transport


def serve(
    listener: socket.socket, protocol: Callable[[], Any], block: Callable[[], Coroutine[Any, Any, list[Any]]]
) -> None:
    """Run the block while the event loop accepts. It returns the accepted connections."""

    async def run() -> None:
        loop = asyncio.get_running_loop()
        async with await loop.create_server(protocol, sock=listener, backlog=AT_ONCE):
            accepted = await asyncio.wait_for(block(), patience(5))
            await _turns(2)
            for one in accepted:
                one.transport.abort()
            await _turns(2)

    with ThreadPoolExecutor(1) as thread:  # in the main thread the browser of other tests may have an event loop
        thread.submit(asyncio.run, run()).result()


def come_and_reset(listener: socket.socket) -> Any:
    """The address of a client that came and went."""
    with socket.create_connection(listener.getsockname(), patience(1)) as client:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
        return client.getsockname()


async def _turns(count: int) -> None:
    for _ in range(count):
        await asyncio.sleep(0)


def test_many_clients_may_wait_and_the_event_loop_goes_on_after_a_few(listener: Listener, stack: ExitStack) -> None:
    accepted = list[Accepted]()

    async def come() -> list[Accepted]:
        for _ in range(MANY):  # the event loop accepts none meanwhile
            stack.enter_context(closing(socket.create_connection(listener.getsockname(), patience(1))))
        while len(accepted) < MANY:
            before = len(accepted)
            await _turns(1)
            assert len(accepted) - before <= AT_ONCE
        return accepted

    serve(listener, lambda: Accepted(accepted), come)


def test_a_client_that_goes_just_now_has_its_address(stack: ExitStack) -> None:
    listener = stack.enter_context(closing(socket.create_server(("127.0.0.1", 0))))
    crowd, accepted = Crowd(Limits(seconds=1, body=1, connections=9, per_address=9)), list[Connection]()
    config = uvicorn.Config(lambda: None, log_config=None)  # type: ignore[arg-type,return-value]

    def make() -> Connection:
        accepted.append(crowd(config=config, server_state=ServerState(), app_state={}))
        return accepted[-1]

    async def come_and_go() -> list[Connection]:
        address = come_and_reset(listener)
        await _turns(5)
        assert [one.client for one in accepted] == [address]
        return accepted

    serve(listener, make, come_and_go)


def test_clients_that_have_gone_take_nobodys_turn(listener: Listener, stack: ExitStack) -> None:
    for _ in range(MANY):
        come_and_reset(listener)
    stays = stack.enter_context(closing(socket.create_connection(listener.getsockname(), patience(1))))
    with listener.accept()[0] as connection:
        assert connection.getpeername() == stays.getsockname()


def test_after_many_that_have_gone_the_event_loop_goes_on(listener: Listener) -> None:
    for _ in range(_GONE_AT_ONCE):
        come_and_reset(listener)
    with pytest.raises(BlockingIOError):
        listener.accept()


def test_web_is_told_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOLDFAST_ENV", "test")
    monkeypatch.setattr(web, "room_for", lambda wanted, *_: wanted)
    assert web._config(load_settings()).backlog == AT_ONCE
