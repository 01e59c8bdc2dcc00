"""The door: the options of accepted connections, a process without room, and one without free files."""

import errno
import socket
import struct
from collections.abc import Iterator
from contextlib import ExitStack, closing
from dataclasses import replace
from typing import Any

import pytest

from api.sockets import door as door_module
from api.sockets.door import Door, most_sockets, open_port
from api.sockets.strangers import Strangers
from api.sockets.tally import Tally
from shared.settings import Settings, load_settings
from tests.eventually import patience
from tests.services.programs import free_port
from tests.unit.network.files import Files, files

__all__ = ["files"]

PATIENCE = 0.2


@pytest.fixture
def settings(monkeypatch: pytest.MonkeyPatch) -> Settings:
    monkeypatch.setenv("HOLDFAST_ENV", "test")
    return replace(load_settings(), realtime_port=free_port())


@pytest.fixture
def door(settings: Settings) -> Iterator[Door]:
    with closing(open_port(settings)) as listener:
        yield Door(listener, Strangers(PATIENCE, 10), lambda: 10)


@pytest.fixture
def client(settings: Settings, door: Door) -> Iterator[socket.socket]:
    with closing(_client(settings)) as client:
        yield client


def _client(settings: Settings) -> socket.socket:
    return socket.create_connection(("127.0.0.1", settings.realtime_port), timeout=patience(5))


def test_accepted_connections_send_at_once_and_buffer_little(client: socket.socket, door: Door) -> None:
    connection, _ = door.accept()
    with closing(connection):
        assert connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY) == 1
        assert connection.getsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF) <= 2 * 128 * 1024  # the kernel doubles it
        assert connection.getsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF) <= 2 * 64 * 1024


def test_without_room_a_stranger_leaves(settings: Settings) -> None:
    places = iter([10, 1])
    with closing(open_port(settings)) as listener, ExitStack() as stack:
        door = Door(listener, Strangers(PATIENCE, 10), lambda: next(places))
        first, second, _ = (stack.enter_context(closing(_client(settings))) for _ in range(3))
        connections = [stack.enter_context(closing(door.accept()[0])) for _ in range(2)]
        connections[1].send(b"alive")
        assert (first.recv(10), second.recv(10)) == (b"", b"alive")


def test_without_room_and_strangers_the_client_gets_a_503(settings: Settings) -> None:
    strangers = Strangers(PATIENCE, 10)
    rooms = iter([0, 10])
    with closing(open_port(settings)) as listener, ExitStack() as stack:
        door = Door(listener, strangers, lambda: next(rooms))
        refused, _ = (stack.enter_context(closing(_client(settings))) for _ in range(2))
        stack.enter_context(closing(door.accept()[0]))
        assert refused.recv(1000).startswith(b"HTTP/1.1 503")


def test_a_client_that_has_gone_takes_no_place(settings: Settings, door: Door, client: socket.socket) -> None:
    with door.accept()[0], _client(settings) as gone:
        gone.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    with _client(settings) as stays, door.accept()[0] as connection:
        assert connection.getpeername() == stays.getsockname()
    assert len(door._strangers) == 2


class OutOfFiles:
    """A listener that fails twice, as when the limit of open files is reached."""

    def __init__(self) -> None:
        self.failures = 2
        with closing(socket.create_server(("127.0.0.1", 0))) as listener:
            self.client = socket.create_connection(listener.getsockname())
            self.connection, _ = listener.accept()

    def accept(self) -> tuple[Any, Any]:
        if self.failures:
            self.failures -= 1
            raise OSError(errno.EMFILE, "Too many open files")
        return self.connection, "somebody"


def test_without_files_it_waits_and_goes_on_and_the_log_has_one_line(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(door_module, "_NO_FILES_PAUSE", 0.01)
    monkeypatch.setattr(door_module, "TALLY", Tally())
    listener: Any = OutOfFiles()
    connection, address = Door(listener, Strangers(PATIENCE, 10), lambda: 10).accept()
    connection.close()
    listener.client.close()
    assert address == "somebody"
    assert [record.getMessage().partition(":")[0] for record in caplog.records] == ["realtime.not_accepted"]


def test_the_limit_of_open_files_limits_the_sockets(settings: Settings, files: Files) -> None:
    files.own, files.most = 1024, 4096
    assert most_sockets(settings) == 4096 - 300
    assert most_sockets(replace(settings, max_sockets=100)) == 100
