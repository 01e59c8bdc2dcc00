"""Sends the text of all running replies of this process to Redis and the open tabs. A trip takes many deltas.

The first delta of a reply goes at once, and so does the first after a quiet moment. Text that arrives during a trip
goes with the next one. So the load sets the size of a batch. No reply's thread ever waits for Redis.
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

# A trip costs every program time, so the relay rests after each one (D-36). It rests for _REST times the trip's time,
# and at least _SHORTEST seconds, which no reader notices (D-37). Above _ROOM pieces a second, the rest grows by _GROWTH
# seconds for each further piece a second. It never exceeds _LONGEST seconds.
_REST, _ROOM, _GROWTH, _SHORTEST, _LONGEST = 2.0, 600.0, 0.025 / 1000, 0.005, 0.09
# The weight of the last trip in the average rate of pieces.
_SMOOTH = 0.2
# Characters of one reply in one trip (D-38). Without this limit, a model that sends a megabyte at once would delay all
# users' events.
LONGEST_PIECE = 8 * 1024


class Relay:
    """One thread for all replies of a process. Start it once in each process."""

    def __init__(self, link: RedisLink) -> None:
        self._link = link
        self._lock = threading.Lock()
        self._ready = threading.Event()
        self._hurry = threading.Event()
        self._waiting: dict[Run, list[str]] = {}
        self._before, self._rate = 0.0, 0.0  # the start of the last trip, and pieces a second

    def start(self) -> None:
        """Begin to make trips."""
        threading.Thread(target=self._work, name="relay", daemon=True).start()

    def add(self, run: Run, piece: str) -> None:
        """Send this piece with the next trip."""
        with self._lock:
            self._waiting.setdefault(run, []).append(piece)
        if not run.sent:
            self._hurry.set()
        if not self._ready.is_set():  # setting the event again would cost as much as the rest of this function
            self._ready.set()

    def forget(self, run: Run) -> None:
        """Drop the waiting text of a reply that has ended: its final event carries the text (D-39)."""
        with self._lock:
            self._waiting.pop(run, None)

    def _work(self) -> None:
        while True:
            self._ready.wait()
            started = time.monotonic()
            batch = self._take()
            try:
                self._send(batch)
            except Exception:  # if this thread ended, all replies of the process would have no live text
                log.exception("relay.failed: a batch of live text was not sent; the relay goes on")
            self._hurry.wait(self._rest(started, len(batch)))  # a first piece ends this rest

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
            # A reply whose lease may have lapsed sends nothing. Its text waits for the first piece after a renewal.
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
            return  # Redis is away; the next trip finds the list too short, and restores it
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
