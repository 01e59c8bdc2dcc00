"""One attempt while this process writes it: what its thread, the relay and the watchdog share."""

import math
import threading
import time
from collections.abc import Callable

from shared.actions.replies.claim import Claim
from shared.actions.replies.finish import Answer
from shared.text import PieceCleaner
from workers.providers import Ending

# Characters; what a model says beyond them is cut, and the reply ends as `length`.
MAX_REPLY = 1024 * 1024
# Of a lease; so long after a renewal text may go out. The rest is a margin for what is on its way by then.
_SPEAKS = 2 / 3


class Run:
    """Its own thread adds text; the relay counts deltas; the watchdog may cut it short. Times are monotonic."""

    def __init__(self, claim: Claim) -> None:
        self.claim = claim
        self.started = self.last_text = self.renewed = time.monotonic()
        #: Until when its text may go out, and until when the lease lasts for certain.
        self.speaks_until = self.leased_until = math.inf
        #: Seconds from the start until the whole reply has to be done.
        self.remaining = (claim.remaining_ms or 0) / 1000
        self.size = 0
        self.shown = False
        self.cut: Exception | None = None
        #: What the relay has taken: one entry for each delta, so its length is the next index.
        self.sent: list[str] = []
        self._pieces: list[str] = []
        self._taken = 0  # of the pieces
        self._cleaner = PieceCleaner()
        self._cutting = threading.Lock()
        self._abort: Callable[[], None] | None = None

    @property
    def text(self) -> str:
        """All text so far."""
        return "".join(self._pieces)

    @property
    def full(self) -> bool:
        """Whether it has all the text a reply may have."""
        return self.size >= MAX_REPLY

    def add(self, piece: str) -> None:
        """Keep what of a piece of text is whole, clean and fits."""
        piece = self._cleaner.clean(piece)[: MAX_REPLY - self.size]
        if piece:
            self.size += len(piece)
            self.last_text = time.monotonic()
            self._pieces.append(piece)

    def take_unshown(self) -> str:
        """The text that came since this was last asked."""
        piece = "".join(self._pieces[self._taken :])
        self._taken = len(self._pieces)
        return piece

    def checkpoint(self) -> tuple[str, int]:
        """The text that went out so far, and in how many deltas: who reads it goes on with the next one."""
        sent = list(self.sent)
        return "".join(sent), len(sent)

    def leased(self, at: float, seconds: float) -> None:
        """Its lease was renewed by a statement that began at this time."""
        self.renewed, self.speaks_until, self.leased_until = at, at + seconds * _SPEAKS, at + seconds

    def cut_by(self, abort: Callable[[], None] | None) -> None:
        """From now on, cutting it short also does this: it ends the model's stream. None: the stream has ended."""
        with self._cutting:
            self._abort = abort
            if self.cut and abort:
                abort()

    def cut_short(self, reason: Exception) -> None:
        """End it from another thread; its own thread then raises `reason` in check(). The first reason stays."""
        with self._cutting:
            if self.cut is None:
                self.cut = reason
                if self._abort:
                    self._abort()

    def check(self) -> None:
        """Raises the reason if it was cut short."""
        if self.cut:
            raise self.cut

    def answer(self, ending: Ending) -> Answer:
        """What the attempt brought, for its ending. Text that went out in no delta counts as one."""
        text = self.text
        return Answer(
            text=text,
            next_index=len(self.sent) + (sum(map(len, self.sent)) < len(text)),
            model=ending.model,
            finish_reason=ending.finish_reason,
            tokens_in=ending.tokens_in,
            tokens_out=ending.tokens_out,
        )
