"""Takes the text of all running replies of this process to Redis and the open tabs, many deltas a trip.

The first delta of a reply, and the first after a quiet moment, goes at once. What arrives meanwhile goes with the
next trip, so the load sets the size of a batch, and no reply's thread ever waits for Redis.
"""

import logging
import threading
import time

from shared.actions.replies.finish import Superseded
from shared.redis import live_text
from shared.redis.link import RedisLink
from shared.wire.events import Event, encode
from workers.run import Run

log = logging.getLogger(__name__)

# A trip costs every program, so there is a rest after each: twice what it took, and _SHORTEST seconds, which nobody
# sees. When pieces come faster than _ROOM a second it is a window that grows with them, up to _LONGEST seconds.
_REST, _ROOM, _GROWTH, _SHORTEST, _LONGEST = 2.0, 600.0, 0.025 / 1000, 0.005, 0.09
# Of the last trip, in the rate of pieces.
_SMOOTH = 0.2
# Characters of one reply in one trip: a model that says a megabyte at once must not hold up everybody's events.
LONGEST_PIECE = 8 * 1024


class Relay:
    """One thread; start it once a process."""

    def __init__(self, link: RedisLink) -> None:
        self._link = link
        self._lock = threading.Lock()
        self._ready = threading.Event()
        self._hurry = threading.Event()
        self._waiting: dict[Run, list[str]] = {}
        self._before, self._rate = 0.0, 0.0  # when the last trip began; pieces a second

    def start(self) -> None:
        """Begin to make trips."""
        threading.Thread(target=self._work, name="relay", daemon=True).start()

    def add(self, run: Run, piece: str) -> None:
        """Show this piece with the next trip."""
        with self._lock:
            self._waiting.setdefault(run, []).append(piece)
        if not run.sent:
            self._hurry.set()
        if not self._ready.is_set():  # setting it again costs as much as all the rest here
            self._ready.set()

    def forget(self, run: Run) -> None:
        """Drop what still waits: the final event carries the text."""
        with self._lock:
            self._waiting.pop(run, None)

    def _work(self) -> None:
        while True:
            self._ready.wait()
            started = time.monotonic()
            batch = self._take()
            try:
                self._send(batch)
            except Exception:  # a thread that ended here would leave every reply of the process without live text
                log.exception("relay.failed")
            self._hurry.wait(self._rest(started, len(batch)))  # whoever waits for a first text waits no longer

    def _rest(self, started: float, pieces: int) -> float:
        self._rate += _SMOOTH * (pieces / (started - self._before) - self._rate)
        self._before = started
        took, window = time.monotonic() - started, (self._rate - _ROOM) * _GROWTH
        return min(_LONGEST, max(_SHORTEST, _REST * took, window))

    def _take(self) -> list[tuple[Run, int, str]]:
        with self._lock:
            self._ready.clear()
            self._hurry.clear()
            now = time.monotonic()
            # whose lease may have been lost says nothing; its text waits for a piece that comes after a renewal
            speaking = [run for run in self._waiting if now < run.speaks_until]
            return [self._next_piece(run, "".join(self._waiting.pop(run))) for run in speaking]

    def _next_piece(self, run: Run, text: str) -> tuple[Run, int, str]:
        piece, rest = text[:LONGEST_PIECE], text[LONGEST_PIECE:]
        if rest:
            self._waiting[run] = [rest]
            self._ready.set()
        run.sent.append(piece)
        return run, len(run.sent) - 1, piece

    def _send(self, batch: list[tuple[Run, int, str]]) -> None:
        if not batch:
            return
        lengths = live_text.append(self._link, [_piece(*entry) for entry in batch])
        if lengths is None:
            return  # Redis is away; the list will be too short next time
        for (run, index, _), length in zip(batch, lengths, strict=True):
            if length == -1:
                run.cut_short(Superseded())
            elif length != index + 1:
                self._restore(run, index + 1)

    def _restore(self, run: Run, pieces: int) -> None:
        text = "".join(run.sent[:pieces])
        live_text.rewrite(self._link, run.claim.id, run.claim.attempt, text, pieces)


def _piece(run: Run, index: int, text: str) -> live_text.Piece:
    claim = run.claim
    delta = {
        "messageId": claim.id,
        "chatSessionId": claim.chat_session_id,
        "attempt": claim.attempt,
        "index": index,
        "text": text,
    }
    event = encode(Event(claim.owner_id, "message.delta", delta))
    return live_text.Piece(claim.id, claim.attempt, text, event)
