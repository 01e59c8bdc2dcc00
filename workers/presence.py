"""Notes in the database that this worker process lives, so that a waiting reply can say whether any worker is there.

This has a thread of its own. The watchdog's thread may wait for the rows of leases, and sleeps while no reply runs.
"""

import logging
import threading
from collections.abc import Callable

from flask import Flask
from sqlalchemy.exc import SQLAlchemyError

from shared.actions.queue.presence import forget_worker, note_worker
from shared.database.tables import new_id

log = logging.getLogger(__name__)

# Seconds between two notes, and the most that a process waits at its end for its row to go.
_EVERY, _AT_THE_END = 10.0, 1.0


class Presence:
    """Notes this process from its start on, until it leaves."""

    def __init__(self, core: Flask) -> None:
        self._core, self._id = core, new_id()
        self._leaving = threading.Event()
        self._thread = threading.Thread(target=self._work, name="presence", daemon=True)

    def start(self) -> None:
        """Begin to note the process."""
        self._thread.start()

    def leave(self) -> None:
        """Have the thread take the row away. This waits for nothing, because it runs while replies drain."""
        self._leaving.set()

    def wait(self) -> None:
        """Wait a moment until the row is gone. Otherwise it would count as a living worker for half a minute."""
        self._thread.join(_AT_THE_END)

    def _work(self) -> None:
        while not self._leaving.is_set():
            self._try(note_worker)
            self._leaving.wait(_EVERY)
        self._try(forget_worker)

    def _try(self, act: Callable[[str], None]) -> None:
        try:
            with self._core.app_context():
                act(self._id)
        except SQLAlchemyError as error:
            log.warning("presence.not_noted: %s; waiting replies may say that no worker is there", type(error).__name__)
