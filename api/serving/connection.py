"""One client's connection: uvicorn's, which reads whole requests here within limits of size (D-92, D-93)."""

from typing import Any

from api.serving.pace import PacedConnection, Stage
from api.serving.turn import Turn
from shared.errors.base import HoldfastError
from shared.errors.requests import BodyTooLarge, HeadersTooLarge, MalformedBody, MalformedRequest
from shared.errors.server import ServerFull

# Bytes of a request's first line and headers, and the number of headers.
_MOST_HEAD, _MOST_HEADERS = 64 * 1024, 100
# Bytes that come with a body beside it: the sizes of its chunks, their extensions, and headers after it.
_MOST_FRAMING = 256 * 1024
# A chunk costs the same however small it is. So a body may come in this many pieces at most.
_MOST_PIECES = 10_000
# Bytes of a body that no limit of memory counts.
_SMALL_BODY = 64 * 1024
# Requests that a client may send before it has the answer to the first one.
_MOST_AHEAD = 8
# Seconds at a drain in which a request may still arrive that was on its way.
_ARRIVING = 0.1


class Connection(PacedConnection):
    """Overrides the callbacks of uvicorn's protocol, in the order of a request."""

    def __init__(self, *args: Any, **of_uvicorn: Any) -> None:
        super().__init__(*args, **of_uvicorn)
        self._draining = False
        self._fault: HoldfastError = MalformedRequest()
        self._head = self._pieces = 0
        self._postponed: tuple[Any, Any] | None = None

    def connection_made(self, transport: Any) -> None:
        super().connection_made(transport)
        self.client = self.client or _accepted_from(transport)
        if not self._crowd.admit(self):
            self.refuse(ServerFull())

    def data_received(self, data: bytes) -> None:
        if self._refused:
            return
        self._head += len(data)
        super().data_received(data)
        if self._stage is Stage.HEAD and self._head > _MOST_HEAD:
            self.refuse(HeadersTooLarge())
        elif self._stage is Stage.BODY and self._head > _MOST_FRAMING:
            self.refuse(BodyTooLarge())

    def on_message_begin(self) -> None:
        if self._refused or len(self.pipeline) >= _MOST_AHEAD:
            raise ValueError("too many requests at once")
        self._enter(Stage.HEAD)
        self._head, self._body_size, self._pieces = max(0, self._head), 0, 0
        super().on_message_begin()

    def on_header(self, name: bytes, value: bytes) -> None:
        if self._stage is Stage.BODY:
            return  # a header after the body could replace one that was checked before it
        if len(self.headers) >= _MOST_HEADERS:
            self._fault = HeadersTooLarge()
            raise ValueError("too many headers")
        super().on_header(name, value)

    def on_headers_complete(self) -> None:
        self._head = 0
        if len(self.url) + sum(len(name) + len(value) for name, value in self.headers) > _MOST_HEAD:
            self.refuse(HeadersTooLarge())
            return
        if any(name == b"content-length" and int(value) > self._crowd.limits.body for name, value in self.headers):
            self.refuse(BodyTooLarge())
            return
        upgrades = self.parser.should_upgrade()
        if not self._comes_plain() or (upgrades and self._announces_a_body()):
            self.refuse(MalformedRequest())  # the parser would take the body for the next request, or for plain JSON
            return
        super().on_headers_complete()  # an address that is none raises, and the stage stays HEAD
        self._enter(Stage.BODY)
        if self._draining or upgrades:
            self.cycle.keep_alive = False

    def on_body(self, body: bytes) -> None:
        if self._refused:
            return
        self._head -= len(body)
        self._body_size += len(body)
        self._pieces += 1
        if self._body_size > self._crowd.limits.body or self._pieces > _MOST_PIECES:
            self.refuse(BodyTooLarge())
        elif self._body_size > _SMALL_BODY and not self._crowd.hold(self, self._body_size):
            self.refuse(ServerFull())
        else:
            super().on_body(body)

    def on_message_complete(self) -> None:
        if not self._refused:
            self._enter(Stage.WORK)
            super().on_message_complete()
            if not self.pipeline:
                self.flow.resume_reading()  # a large body paused it, and then nobody would see the client go

    def send_400_response(self, msg: str) -> None:
        self.refuse(MalformedBody() if self._stage is Stage.BODY else self._fault)

    def on_response_complete(self) -> None:
        super().on_response_complete()
        self._crowd.release(self)
        self._note_answer()
        if self._owed:
            self._crowd.owe(self)
        self._end_with_last_word()

    def eof_received(self) -> bool | None:  # type: ignore[override]
        turn = self._turn
        if self._stage is not Stage.WORK or (turn and turn.waits):
            return None  # most clients that close their side have gone, so work that has not begun is not worth doing
        self.cycle.keep_alive = False  # the client sends no more, and still waits for its answer
        return True

    def shutdown(self) -> None:
        """The process drains: answer the request that has begun to arrive, and no later one."""
        self._draining = True
        if self.cycle:
            self.cycle.keep_alive = False
        self.loop.call_later(_ARRIVING, self._close_if_at_rest)

    def connection_lost(self, exc: Exception | None) -> None:
        self._crowd.forget(self)
        super().connection_lost(exc)
        if self._running:
            self._running.disconnected = True
        if self._turn:
            self._turn.abandon()

    def pause_writing(self) -> None:
        super().pause_writing()
        self._note_piece()
        self._crowd.owe(self)

    def resume_writing(self) -> None:
        super().resume_writing()
        if self._postponed:
            (cycle, app), self._postponed = self._postponed, None
            self._start_asgi_task(cycle, app)

    def _start_asgi_task(self, cycle: Any, app: Any) -> None:
        self._running = cycle
        if self.flow.write_paused:  # else a second answer would wait for the client outside of every limit
            self._postponed = cycle, app
        else:
            super()._start_asgi_task(cycle, app)

    @property
    def _turn(self) -> Turn[Any] | None:
        """The turn of the request that is at work, or waits for a thread."""
        turn: Turn[Any] | None = self._running.scope["state"].get("turn") if self._running else None
        return turn

    def _comes_plain(self) -> bool:
        """Whether the body comes as it is, in chunks or not. Nobody here could unpack it."""
        codings = [value.strip().lower() for name, value in self.headers if name == b"transfer-encoding"]
        return codings in ([], [b"chunked"])

    def _announces_a_body(self) -> bool:
        sizes = [int(value) for name, value in self.headers if name == b"content-length"]
        return any(sizes) or any(name == b"transfer-encoding" for name, _ in self.headers)

    def _close_if_at_rest(self) -> None:
        if self._stage is Stage.REST:
            self.transport.close()


def _accepted_from(transport: Any) -> tuple[str, int] | None:
    """The address that asyncio got with the connection. A client that has gone by now has no other one (D-184)."""
    address = transport.get_extra_info("peername")
    return (str(address[0]), int(address[1])) if isinstance(address, tuple) else None
