"""Work that another thread may cut short while it asks a model."""

import threading
from collections.abc import Callable


class Cuttable:
    """The thread that works calls cut_by() and check(). Any other thread calls cut_short()."""

    def __init__(self) -> None:
        self.cut: Exception | None = None
        self._cutting = threading.Lock()
        self._abort: Callable[[], None] | None = None

    def cut_by(self, abort: Callable[[], None] | None) -> None:
        """Set the function by which cut_short() ends the model's stream; None once the stream has ended."""
        with self._cutting:
            self._abort = abort
            if self.cut and abort:
                abort()

    def cut_short(self, reason: Exception) -> None:
        """End the work from another thread. Its own thread then raises the first such reason in check()."""
        with self._cutting:
            if self.cut is None:
                self.cut = reason
                if self._abort:
                    self._abort()

    def check(self) -> None:
        """Raises the reason if the work was cut short."""
        if self.cut:
            raise self.cut
