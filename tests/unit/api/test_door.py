"""The door: the options of accepted connections, the time-outs of silent ones, and a process without free files."""

import errno
import resource
import socket
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from typing import Any

import pytest

from api.sockets import door as door_module
from api.sockets.door import Door, most_sockets, open_port
from shared.settings import Settings, load_settings
from tests.eventually import patience
from tests.services.programs import free_port

PATIENCE = 0.2


@pytest.fixture
def settings(monkeypatch: pytest.MonkeyPatch) -> Settings:
    monkeypatch.setenv("HOLDFAST_ENV", "test")
    return replace(load_settings(), realtime_port=free_port())


@pytest.fixture
def door(settings: Settings) -> Iterator[Door]:
    with closing(open_port(settings)) as listener:
        yield Door(listener, PATIENCE, lambda: 10)


@pytest.fixture
def client(settings: Settings, door: Door) -> Iterator[socket.socket]:
    with closing(socket.create_connection(("127.0.0.1", settings.realtime_port), timeout=patience(5))) as client:
        yield client


def test_accepted_connections_send_at_once_and_buffer_little(client: socket.socket, door: Door) -> None:
    connection, _ = door.accept()
    with closing(connection):
        assert connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY) == 1
        assert connection.getsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF) <= 2 * 128 * 1024  # the kernel doubles it


def test_a_doubted_connection_is_dropped_after_its_moment_and_not_before(client: socket.socket, door: Door) -> None:
    connection, _ = door.accept()
    with closing(connection):
        door.reap()
        connection.send(b"alive")
        assert client.recv(10) == b"alive"
        time.sleep(PATIENCE)
        door.reap()
        assert client.recv(10) == b""


def test_a_trusted_one_stays_until_it_is_doubted_again(client: socket.socket, door: Door) -> None:
    connection, _ = door.accept()
    with closing(connection):
        door.trust(connection)
        door.trust(connection)
        time.sleep(PATIENCE)
        door.reap()
        connection.send(b"alive")
        assert client.recv(10) == b"alive"
        door.doubt(connection)
        door.reap()
        time.sleep(PATIENCE)
        door.reap()
        assert client.recv(10) == b""


def test_one_that_ended_by_itself_is_forgotten(client: socket.socket, door: Door) -> None:
    connection, _ = door.accept()
    connection.close()
    time.sleep(PATIENCE)
    door.reap()
    assert door._doubted == {}


class OutOfFiles:
    """A listener that fails twice, as when the limit of open files is reached."""

    def __init__(self) -> None:
        self.failures = 2

    def accept(self) -> tuple[Any, Any]:
        if self.failures:
            self.failures -= 1
            raise OSError(errno.EMFILE, "Too many open files")
        return socket.socket(), "somebody"


def test_without_files_it_waits_and_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(door_module, "_NO_FILES_PAUSE", 0.01)
    listener: Any = OutOfFiles()
    connection, address = Door(listener, PATIENCE, lambda: 10).accept()
    connection.close()
    assert address == "somebody"


def test_the_limit_of_open_files_limits_the_sockets(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resource, "setrlimit", lambda *_: None)
    monkeypatch.setattr(resource, "getrlimit", lambda _: (1024, 4096))
    assert most_sockets(settings) == 4096 - 300
    assert most_sockets(replace(settings, max_sockets=100)) == 100
    monkeypatch.setattr(resource, "getrlimit", lambda _: (1024, resource.RLIM_INFINITY))
    assert most_sockets(settings) == settings.max_sockets
