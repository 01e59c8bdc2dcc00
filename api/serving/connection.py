"""One client's connection: uvicorn's, with deadlines, sizes, and refusals in our own format (D-101, D-102)."""

from enum import Enum
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from api.http.errors import problem
from api.http.headers import protect
from shared.errors.base import HoldfastError
from shared.errors.requests import BodyTooLarge, HeadersTooLarge, MalformedRequest, RequestTooSlow, ServerFull

if TYPE_CHECKING:
    from api.serving.crowd import Crowd

# Bytes of a request's first line and headers, and the number of headers.
_MOST_HEAD, _MOST_HEADERS = 64 * 1024, 100
# A chunk costs the same however small it is. So a body may come in this many pieces at most.
_MOST_PIECES = 10_000
# Bytes of a body that no limit of memory counts.
_SMALL_BODY = 64 * 1024
# Requests that a client may send before it has the answer to the first one.
_MOST_AHEAD = 8
# Bytes a second. A client that is faster than this gets more time for a body or an answer.
_SLOWEST = 32 * 1024
# Seconds at a drain in which a request may still arrive that was on its way.
_ARRIVING = 0.1


class Stage(Enum):
    """The step of a connection. A client has a deadline in each step but `WORK`, when it waits for us."""

    REST = "rest"  # nothing of a request has come yet; the answer before may still be on its way
    HEAD = "head"
    BODY = "body"
    WORK = "work"


class Connection(HttpToolsProtocol):
    """Reads whole requests, and keeps each answer until the client has taken it."""

    def __init__(self, crowd: "Crowd", **of_uvicorn: Any) -> None:
        super().__init__(**of_uvicorn)
        self._crowd = crowd
        self._refused = self._draining = False
        self._fault: HoldfastError = MalformedRequest()
        self._head = self._body = self._pieces = 0
        self._enter(Stage.REST)
        self._answered, self._owed = self.since, 0  # the last answer: when, and how much of it the client did not take

    # For the crowd

    @property
    def rests(self) -> bool:
        """Whether the client keeps us waiting, rather than the other way round."""
        return self._stage is not Stage.WORK and not self._owes_another

    @property
    def reads_body(self) -> bool:
        return self._stage is Stage.BODY

    @property
    def unsent(self) -> int:
        """Bytes of answers that the client has not taken."""
        return self.transport.get_write_buffer_size()

    def is_late(self, now: float) -> bool:
        """Whether the client was too slow: with an answer, or with the head or the body of a request."""
        if self._takes_an_answer:
            began, moved = self._answered, self._owed - self.unsent
        elif self.rests:
            began, moved = self.since, self._body
        else:
            return False
        return now > began + self._crowd.limits.seconds + moved / _SLOWEST

    def end_late(self) -> None:
        """Tell the client that it was too slow with its request. Drop it if it sends nothing or takes nothing."""
        if self._takes_an_answer:
            self.drop()
        else:
            self.refuse(RequestTooSlow())

    def drop(self) -> None:
        """End the connection at once."""
        self.transport.abort()

    def refuse(self, error: HoldfastError) -> None:
        """Answer with this error, and read on until the client has seen the answer (D-102)."""
        if self._refused or self.transport.is_closing():
            return
        self._refused = True
        self._crowd.release(self)
        if self._owes_another:
            self.drop()
            return
        if self._stage is Stage.BODY:
            self.cycle.disconnected = True  # the app waits for the body, and ends now
            self.cycle.message_event.set()
        self._enter(Stage.REST)
        self._answered = self.since
        self.flow.resume_reading()
        self.transport.write(_as_bytes(error))
        self.transport.write_eof()

    # What uvicorn's protocol calls, in the order of a request

    def connection_made(self, transport: Any) -> None:
        super().connection_made(transport)
        if not self._crowd.admit(self):
            self.refuse(ServerFull())

    def data_received(self, data: bytes) -> None:
        if self._refused:
            return
        if self._stage is not Stage.BODY:
            self._head += len(data)
        super().data_received(data)
        if self._stage is Stage.HEAD and self._head > _MOST_HEAD:
            self.refuse(HeadersTooLarge())

    def on_message_begin(self) -> None:
        if self._refused or len(self.pipeline) >= _MOST_AHEAD:
            raise ValueError("too many requests at once")
        self._enter(Stage.HEAD)
        self._body = self._pieces = 0
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
        if any(name == b"content-length" and int(value) > self._crowd.limits.body for name, value in self.headers):
            self.refuse(BodyTooLarge())
            return
        super().on_headers_complete()  # an address that is none raises, and the stage stays HEAD
        self._enter(Stage.BODY)
        if self._draining:
            self.cycle.keep_alive = False

    def on_body(self, body: bytes) -> None:
        if self._refused:
            return
        self._body += len(body)
        self._pieces += 1
        if self._body > self._crowd.limits.body or self._pieces > _MOST_PIECES:
            self.refuse(BodyTooLarge())
        elif self._body > _SMALL_BODY and not self._crowd.hold(self, self._body):
            self.refuse(ServerFull())
        else:
            super().on_body(body)

    def on_message_complete(self) -> None:
        if not self._refused:
            self._enter(Stage.WORK)
            super().on_message_complete()

    def send_400_response(self, msg: str) -> None:
        self.refuse(self._fault)

    def on_response_complete(self) -> None:
        super().on_response_complete()
        self._crowd.release(self)
        done = self._stage is Stage.WORK and not self._owes_another
        self._enter(Stage.REST if done else self._stage)
        self._answered, self._owed = self.since, self.unsent
        if self._owed:
            self._crowd.owe(self)

    def eof_received(self) -> bool | None:  # type: ignore[override]
        if self._stage is not Stage.WORK:
            return None
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

    # Helpers

    def _enter(self, stage: Stage) -> None:
        self._stage, self.since = stage, self.loop.time()

    @property
    def _takes_an_answer(self) -> bool:
        return self._stage is Stage.REST or self.flow.write_paused

    @property
    def _owes_another(self) -> bool:
        """Whether an earlier request of this client has no answer yet."""
        if self.pipeline:
            return True
        return self._stage is not Stage.BODY and self.cycle is not None and not self.cycle.response_complete

    def _close_if_at_rest(self) -> None:
        if self._stage is Stage.REST:
            self.transport.close()


def _as_bytes(error: HoldfastError) -> bytes:
    answer = protect(problem(error))
    body = answer.get_data()
    status = HTTPStatus(answer.status_code)
    lines = [f"HTTP/1.1 {status} {status.phrase}", *(f"{name}: {value}" for name, value in answer.headers)]
    return "\r\n".join([*lines, "Connection: close", "\r\n"]).encode() + body
