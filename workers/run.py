"""One attempt while this process writes it: what its thread, the relay and the watchdog share."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from shared.actions.claim_reply import Claim
from shared.actions.finish_reply import Answer
from shared.text import PieceCleaner
from workers.providers import Ending

# Characters; what a model says beyond them is cut, and the reply ends as `length`.
MAX_REPLY = 1024 * 1024


class Run:
    """Its own thread adds text; the relay counts deltas; the watchdog may cut it short. Times are monotonic."""

    def __init__(self, claim: Claim) -> None:
        self.claim = claim
        self.started = self.last_text = self.renewed = time.monotonic()
        #: Seconds from the start until the whole reply has to be done.
        self.remaining = (claim.remaining_ms or 0) / 1000
        self.size = 0
        self.shown = False
        self.cut: Exception | None = None
        #: What the relay has taken: one entry for each delta, so its length is the next index.
        self.sent: list[str] = []
        self._pieces: list[str] = []
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

    def add(self, piece: str) -> str:
        """Keep a piece of text; what of it is whole, clean and fits, to be shown."""
        piece = self._cleaner.clean(piece)[: MAX_REPLY - self.size]
        if piece:
            self.size += len(piece)
            self.last_text = time.monotonic()
            self._pieces.append(piece)
        return piece

    def checkpoint(self) -> tuple[str, int]:
        """The text that went out so far, and in how many deltas: who reads it goes on with the next one."""
        sent = list(self.sent)
        return "".join(sent), len(sent)

    @contextmanager
    def can_be_cut(self, abort: Callable[[], None]) -> Iterator[None]:
        """Inside, cutting it short also ends the model's stream. Outside, its connection may be another reply's."""
        with self._cutting:
            self._abort = abort
            if self.cut:
                abort()
        try:
            yield
        finally:
            with self._cutting:
                self._abort = None

    def cut_short(self, reason: Exception) -> None:
        """End it from another thread; its own thread then raises `reason`. The first reason stays."""
        with self._cutting:
            if self.cut is None:
                self.cut = reason
                if self._abort:
                    self._abort()

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
