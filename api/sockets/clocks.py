"""Notices that the clock of `web` and the one of this process differ. All sockets are refused then (D-100)."""

import time

from api.access.tokens import IssuedLater
from api.sockets.tally import TALLY
from shared.errors.base import HoldfastError
from shared.errors.requests import TokenExpired

# Seconds that a refusal counts.
_WINDOW = 60.0
# Expired tokens in that time, with no good one, that look like a wrong clock. A lone client may show some by itself.
_SUSPICIOUS = 3
_ADVICE = "set the clocks of the machines of `web` and `realtime`, best by NTP"


class Clocks:
    """The tokens of the last minute. Only a token of the future proves a wrong clock: clients may keep old tokens."""

    def __init__(self) -> None:
        self._ahead_until = self._expired_until = 0.0
        self._expired = 0

    @property
    def ahead(self) -> bool:
        """Whether `web` issued a token in the future of this clock, and no good token came since."""
        return time.monotonic() < self._ahead_until

    @property
    def behind(self) -> bool:
        """Whether the clock of `web` may be behind: the tokens have all expired, and no good one came."""
        return self._expired >= _SUSPICIOUS and time.monotonic() < self._expired_until

    def accepted(self) -> None:
        """Note a good token. The clocks agree."""
        self._ahead_until, self._expired = 0.0, 0

    def refused(self, error: HoldfastError) -> None:
        """Note a refused token."""
        now = time.monotonic()
        if isinstance(error, IssuedLater):
            self._ahead_until = now + _WINDOW
            TALLY.note("clocks_differ", f"refused a token that `web` issued in the future; {_ADVICE}")
        elif isinstance(error, TokenExpired):
            self._expired = self._expired + 1 if now < self._expired_until else 1
            self._expired_until = now + _WINDOW
            if self.behind:
                TALLY.note("clocks_may_differ", f"refused only expired tokens for a while; if they are new, {_ADVICE}")
