"""A Socket.IO client that records each event and its time."""

import contextlib
import json
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Self

import engineio
import socketio
import websocket

from tests.eventually import at_most, eventually, patience


@dataclass(frozen=True)
class Heard:
    """One event. `at` is in Unix seconds."""

    name: str
    data: Any
    at: float = field(default_factory=time.time)


class _InOrder(engineio.Client):
    """Handles one frame after the other. The original gives each its own thread, so frames overtake each other."""

    def _trigger_event(self, *args: Any, **options: Any) -> Any:
        return super()._trigger_event(*args, **options | {"run_async": False})


class _Closing(websocket.WebSocket):
    """Closes its connection once nobody holds it. The client forgets one whose server dies amid the handshake."""

    def __del__(self) -> None:
        self.shutdown()


class _Client(socketio.Client):
    def _engineio_client_class(self) -> type[engineio.Client]:
        return _InOrder


class SocketClient:
    """Connects as the reference client does: WebSocket only, with a token."""

    def __init__(self, url: str, token: str) -> None:
        self.heard: list[Heard] = []
        self._url, self._token = url, token
        self._client = _Client(
            reconnection_delay=0.1,
            reconnection_delay_max=0.5,
            request_timeout=patience(5),
            websocket_extra_options={"class_": _Closing},
        )
        self._client.on("*", self._hear)
        self.connections = 0  # the number of connections so far
        self._client.on("connect", self._count)
        self.refusals = 0  # the number of times that a server did not accept the token
        self._client.on("connect_error", self._count_refusal)

    def __enter__(self) -> Self:
        self._client.connect(
            self._url, auth={"token": self._token}, transports=["websocket"], wait_timeout=patience(10)
        )
        return self

    def __exit__(self, *_: object) -> None:
        self._client.disconnect()
        self._client.shutdown()

    @property
    def connected(self) -> bool:
        return bool(self._client.connected)

    @property
    def sid(self) -> str:
        return str(self._client.get_sid())

    def send(self, event: str, data: Any) -> None:
        self._client.emit(event, data)

    def named(self, name: str) -> list[Heard]:
        return [event for event in self.heard if event.name == name]

    def wait_for(self, predicate: Callable[[Heard], Any], within: float = 10.0) -> Heard:
        """The first event that fits, heard already or yet to come."""

        def found() -> Heard:
            first = next(filter(predicate, list(self.heard)), None)
            assert first, f"heard only {[event.name for event in self.heard]}"
            return first

        return eventually(found, within)

    def wait_for_name(self, name: str, within: float = 10.0) -> Heard:
        return self.wait_for(lambda event: event.name == name, within)

    def _count(self) -> None:
        self.connections += 1

    def _count_refusal(self, reason: Any) -> None:
        self.refusals += isinstance(reason, dict)  # a text tells that no server was there

    def _hear(self, name: str, data: Any = None) -> None:
        self.heard.append(Heard(name, data))


class RawSocket:
    """A WebSocket that sends only the test's frames. Tests misbehave with it, and read each frame."""

    def __init__(self, url: str, *, origin: str | None = None, headers: list[str] | None = None) -> None:
        address = f"{url.replace('http', 'ws', 1)}/socket.io/?EIO=4&transport=websocket"
        self.socket = websocket.create_connection(
            address, timeout=patience(10), origin=origin, suppress_origin=origin is None, header=headers
        )
        self.frames = [self.socket.recv()]

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.socket.shutdown()

    def send(self, frame: str) -> None:
        self.socket.send(frame)

    def authenticate(self, auth: Any) -> str:
        """Send `auth` as a client sends its token. Returns the server's answer."""
        self.send("40" + json.dumps(auth))
        return self.receive()

    def receive(self) -> str:
        """The next frame. An empty one is the server's goodbye."""
        frame = str(self.socket.recv())
        self.frames += [frame] if frame else []
        return frame

    def until_closed(self, within: float = 10.0) -> list[str]:
        """All frames until the server ends the connection. Fails if the server does not end it in time."""
        with at_most(within), contextlib.suppress(websocket.WebSocketConnectionClosedException, ConnectionError):
            self.socket.settimeout(patience(within))
            while self.receive():
                pass
        return self.frames[1:]

    def heard_for(self, seconds: float) -> list[str]:
        """All frames that come in that time. Tests expect none."""
        self.socket.settimeout(seconds)
        with contextlib.suppress(websocket.WebSocketException, ConnectionError, TimeoutError):
            while self.receive():
                pass
        return self.frames[1:]
