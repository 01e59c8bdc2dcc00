"""The lines of the log that clients can cause. Their number is bounded, or a flood would fill the disk (D-99)."""

import io
import logging
import time
from collections import Counter

log = logging.getLogger("realtime")

# Seconds between two lines of one kind of mistake.
_QUIET = 60.0
# Lines of libraries in that time. A stack trace has about twenty.
_MOST_LINES = 100


class Tally:
    """Counts the mistakes of clients. The first of a kind is logged at once, the later ones with their number."""

    def __init__(self) -> None:
        self._counts: Counter[str] = Counter()
        self._due: dict[str, float] = {}

    def note(self, kind: str, sentence: str, *, stack: bool = False) -> None:
        """Count one mistake. `sentence` says what the server did about it. `stack` adds the error that is handled."""
        self._counts[kind] += 1
        now = time.monotonic()
        if now >= self._due.get(kind, now):
            times = self._counts.pop(kind)
            log.warning("realtime.%s: %s; %d times since the last such line", kind, sentence, times, exc_info=stack)
            self._due[kind] = now + _QUIET


#: The tally of this process.
TALLY = Tally()


class Output(io.TextIOBase):
    """Stands for standard error, so that lines which libraries print have our format. The log keeps the true one."""

    def __init__(self) -> None:
        self._lines, self._until = 0, 0.0

    def write(self, text: str) -> int:
        """Log each line."""
        for line in filter(str.strip, text.splitlines()):
            self._log(line)
        return len(text)

    def _log(self, line: str) -> None:
        now = time.monotonic()
        if now >= self._until:
            self._lines, self._until = 0, now + _QUIET
        self._lines += 1
        if self._lines <= _MOST_LINES:
            log.warning("realtime.library: %s", line)


class Nowhere(io.TextIOBase):
    """Takes lines, and forgets them."""

    def write(self, text: str) -> int:
        """Forget the text."""
        return len(text)
