"""Takes the text of all running replies of this process to Redis and the open tabs, many deltas a trip.

The first delta of a reply, and the first after a quiet moment, goes at once. What arrives meanwhile goes with the
next trip, so the load sets the size of a batch, and no reply's thread ever waits for Redis.
"""

import logging
import threading
import time

from shared import live
from shared.actions.finish_reply import Superseded
from shared.events import Event, encode
from shared.redis_link import RedisLink
from workers.run import Run

log = logging.getLogger(__name__)

# Seconds from one trip's start to the next: a window that grows with the load, because a trip costs every program,
# and a longer one is seen as jerks. Each reply in a trip beyond the first few makes it a little longer.
_PACE, _LONGEST_PACE, _PACE_A_REPLY = 0.01, 0.03, 0.001
_FEW = 10
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
            pace = min(_LONGEST_PACE, _PACE + _PACE_A_REPLY * max(0, len(batch) - _FEW))
            self._hurry.wait(started + pace - time.monotonic())  # whoever waits for a first text waits no longer

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
        lengths = live.append(self._link, [_piece(*entry) for entry in batch])
        if lengths is None:
            return  # Redis is away; the list will be too short next time
        for (run, index, _), length in zip(batch, lengths, strict=True):
            if length == -1:
                run.cut_short(Superseded())
            elif length != index + 1:
                self._restore(run, index + 1)

    def _restore(self, run: Run, pieces: int) -> None:
        text = "".join(run.sent[:pieces])
        live.rewrite(self._link, run.claim.id, run.claim.attempt, text, pieces)


def _piece(run: Run, index: int, text: str) -> live.Piece:
    claim = run.claim
    delta = {
        "messageId": claim.id,
        "chatSessionId": claim.chat_session_id,
        "attempt": claim.attempt,
        "index": index,
        "text": text,
    }
    event = encode(Event(claim.owner_id, "message.delta", delta))
    return live.Piece(claim.id, claim.attempt, text, event)
