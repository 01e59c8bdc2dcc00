"""One attempt while this process writes it. The attempt's thread, the relay and the watchdog share this object."""

import math
import time

from shared.actions.replies.claim import Claim
from shared.actions.replies.finish import Answer
from shared.text import PieceCleaner, shows_nothing
from shared.wire.messages import MAX_REPLY
from workers.cut import Cuttable
from workers.providers import Ending

# The part of a lease during which text may go out after a renewal. The rest is a margin for text on its way.
_SPEAKS = 2 / 3


class Run(Cuttable):
    """The attempt's own thread adds text, the relay counts deltas, and the watchdog may cut it short.

    Times are monotonic.
    """

    def __init__(self, claim: Claim) -> None:
        super().__init__()
        self.claim = claim
        self.started = self.last_text = self.renewed = time.monotonic()
        #: The times until which its text may go out, and until which the lease certainly lasts.
        self.speaks_until = self.leased_until = math.inf
        #: Seconds from the start to the deadline of the whole reply.
        self.remaining = (claim.remaining_ms or 0) / 1000
        #: Characters of new text. A kept text does not count.
        self.size = 0
        #: Whether a reader can see any of the new text.
        self.visible = False
        self.shown = False
        #: The deltas that the relay has taken. Their number is the index of the next delta.
        self.sent: list[str] = [claim.kept] if claim.kept else []
        self._pieces: list[str] = list(self.sent)
        self._taken = len(self.sent)  # the number of pieces that take_unshown() has returned
        self._cleaner = PieceCleaner()

    @property
    def text(self) -> str:
        """All text so far, with the kept one."""
        return "".join(self._pieces)

    @property
    def full(self) -> bool:
        """Whether the text has reached the most that a reply may have."""
        return self._room() <= 0

    def add(self, piece: str) -> None:
        """Clean a piece of text, and keep as much of it as fits. Half a surrogate pair waits for its other half."""
        piece = self._cleaner.clean(piece)[: self._room()]
        if piece:
            self.size += len(piece)
            self.visible = self.visible or not shows_nothing(piece)
            self.last_text = time.monotonic()
            self._pieces.append(piece)

    def take_unshown(self) -> str:
        """The text since the last call. Text that nobody can see waits for the first that somebody can (D-107)."""
        if not self.visible:
            return ""
        piece = "".join(self._pieces[self._taken :])
        self._taken = len(self._pieces)
        return piece

    def checkpoint(self) -> tuple[str, int]:
        """The text that went out so far, and the number of its deltas. A reader goes on with the next delta."""
        sent = list(self.sent)
        return "".join(sent), len(sent)

    def leased(self, at: float, seconds: float) -> None:
        """Note a renewal of the lease by a statement that began at this time."""
        self.renewed, self.speaks_until, self.leased_until = at, at + seconds * _SPEAKS, at + seconds

    def answer(self, ending: Ending) -> Answer:
        """The result of the attempt, for its ending. Text that never went out counts as one more delta.

        An answer that nobody can see ends like an empty one. A kept text stays in any case.
        """
        text = self.text if self.visible else self.claim.kept
        return Answer(
            text=text,
            next_index=len(self.sent) + (sum(map(len, self.sent)) < len(text)),
            model=ending.model,
            finish_reason=ending.finish_reason,
            tokens_in=ending.tokens_in,
            tokens_out=ending.tokens_out,
        )

    def _room(self) -> int:
        return MAX_REPLY - len(self.claim.kept) - self.size
