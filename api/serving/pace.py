"""The steps of one client's connection, each with a deadline, and the answer to a client that broke a rule (D-92)."""

import socket
import struct
from contextlib import suppress
from enum import Enum
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from api.http.errors import problem
from api.http.headers import protect
from shared.errors.base import HoldfastError
from shared.errors.requests import RequestTooSlow

if TYPE_CHECKING:
    from api.serving.crowd import Crowd

# Bytes a second. A client that is faster than this gets more time for a body or an answer.
_SLOWEST = 32 * 1024
_FORGET = struct.pack("ii", 1, 0)


class Stage(Enum):
    """The step of a connection. A client has a deadline in each step but `WORK`, when it waits for us."""

    REST = "rest"  # nothing of a request has come yet; the answer before may still be on its way
    HEAD = "head"
    BODY = "body"
    WORK = "work"


class PacedConnection(HttpToolsProtocol):
    """Knows its step, and whether its client is too slow."""

    def __init__(self, crowd: "Crowd", **of_uvicorn: Any) -> None:
        super().__init__(**of_uvicorn)
        self._crowd = crowd
        self._refused = False
        self._last_word: HoldfastError | None = None  # the refusal that comes after the answers before it
        self._running: Any = None  # the earliest request without an answer
        self._body_size = 0
        self._enter(Stage.REST)
        self._answered, self._owed = self.since, 0  # the last answer: when, and how much of it the client did not take

    @property
    def rests(self) -> bool:
        """Whether the client keeps us waiting, rather than the other way round."""
        return self._stage is not Stage.WORK and not self._owes_another

    @property
    def reads_body(self) -> bool:
        """Whether the client has sent a part of a body."""
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
            began, moved = self.since, self._body_size
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
        """End the connection at once. Without _FORGET the system would try for minutes to send the rest."""
        if self.unsent:
            with suppress(OSError):  # the client has just gone
                self.transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _FORGET)
        self.transport.abort()

    def refuse(self, error: HoldfastError) -> None:
        """Answer with this error, after all answers that the client waits for. Read on until it has seen it (D-93)."""
        if self._refused or self.transport.is_closing():
            return
        self._refused = True
        self._crowd.release(self)
        if self._stage is Stage.BODY:
            self._give_up_request()
        self._last_word = error
        self.flow.pause_reading()
        self._end_with_last_word()

    def _give_up_request(self) -> None:
        """End the request whose body will not come: its app waits for it, or its turn comes after another answer."""
        self.cycle.disconnected = True
        self.cycle.waiting_for_100_continue = False  # nothing may be written after the refusal
        self.cycle.message_event.set()
        if self.pipeline:
            self.pipeline.popleft()
        else:
            self._running = None

    def _end_with_last_word(self) -> None:
        if not self._last_word or self._owes_another:
            return
        self._enter(Stage.REST)
        self._answered, self._owed = self.since, 0
        self.flow.resume_reading()
        self.transport.write(_as_bytes(self._last_word))
        self._last_word = None
        with suppress(OSError):  # the client has just gone
            self.transport.write_eof()

    def _enter(self, stage: Stage) -> None:
        self._stage, self.since = stage, self.loop.time()
        self._crowd.note_step(self)

    def _note_answer(self) -> None:
        """An answer was written. From here on, the client has time to take it."""
        done = self._stage is Stage.WORK and not self._owes_another
        self._enter(Stage.REST if done else self._stage)
        self._answered, self._owed = self.since, self.unsent

    def _note_piece(self) -> None:
        """A piece of an answer waits for the client, and has a deadline of its own."""
        self._answered, self._owed = self.loop.time(), self.unsent

    @property
    def _takes_an_answer(self) -> bool:
        return self._stage is Stage.REST or self.flow.write_paused

    @property
    def _owes_another(self) -> bool:
        """Whether an earlier request of this client has no answer yet."""
        if self.pipeline:
            return True
        reads_it = self._stage is Stage.BODY and self._running is self.cycle
        return self._running is not None and not self._running.response_complete and not reads_it


def _as_bytes(error: HoldfastError) -> bytes:
    answer = protect(problem(error))
    body, status = answer.get_data(), HTTPStatus(answer.status_code)
    lines = [f"HTTP/1.1 {status} {status.phrase}", *(f"{name}: {value}" for name, value in answer.headers)]
    return "\r\n".join([*lines, "Connection: close", "\r\n"]).encode() + body
