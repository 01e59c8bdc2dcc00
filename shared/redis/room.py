"""The threads of a worker process. A share of them stays free for users without a running reply."""

import threading

# The part of the threads that stays free. A user's further replies use the others (D-115).
_KEPT_FREE = 1 / 4
# The part that titles may use of those others (D-162).
_FOR_TITLES = 1 / 4


class Room:
    """Counts the jobs of one process. With one thread, nothing stays free: the thread would never run a reply."""

    def __init__(self, threads: int) -> None:
        self._kept_free = max(1, int(threads * _KEPT_FREE)) if threads > 1 else 0
        self._most = threads - self._kept_free
        #: The threads that titles may take, at most.
        self.for_titles = max(1, int(threads * _FOR_TITLES))
        self._jobs = 0
        #: The jobs of further replies that run or were fetched.
        self.further = 0
        self._lock = threading.Lock()

    @property
    def left(self) -> bool:
        """Whether there is room for one more further reply."""
        return self._jobs < self._most

    @property
    def short(self) -> bool:
        """Whether further replies may have to wait, although threads are free."""
        return self._kept_free > 0 and not self.left

    def enter(self) -> bool:
        """Count a job that begins. Returns whether it may run although its user has another running reply."""
        with self._lock:
            self._jobs += 1
            return self._jobs <= self._most

    def take(self) -> bool:
        """Take room for the job of a further reply, before the job is fetched. Returns whether there was any."""
        with self._lock:
            if not self.left:
                return False
            self._jobs += 1
            self.further += 1
            return True

    def leave(self, *, further: bool = False) -> None:
        """Give back the room that enter() or take() has counted."""
        with self._lock:
            self._jobs -= 1
            self.further -= further
