"""The clock that tests wait and measure by. On a machine with a core for each thread, its seconds are real ones.

While more threads want to run than there are cores, the clock slows down by that factor. Deadlines then come later.
It never goes slower than a twelfth of real time, so that a test that hangs still fails. A lower bound ("not before")
stays in real time.
"""

import bisect
import os
import threading
import time
from collections.abc import Callable
from pathlib import Path

# A second of this clock lasts at most this many real seconds.
MOST = 12.0
# Seconds between two looks at the machine, and the most that one step counts. After a longer step, we had no core.
_LOOK, _STEP = 0.05, 0.1
_LOADAVG = Path("/proc/loadavg")


class FairClock:
    """Its time goes on with each `now()`. A thread calls `now()` often enough to notice how busy the machine is."""

    def __init__(
        self,
        real: Callable[[], float] = time.time,
        wanting: Callable[[], float] | None = None,
        cores: int | None = None,
    ) -> None:
        self.real, self._wanting, self._cores = real, wanting or threads_that_want_a_core, cores or cores_of_ours()
        self._lock = threading.Lock()
        self._last = (real(), 0.0)  # the real time and the fair time
        self._seen = [self._last]

    def start(self) -> "FairClock":
        """Start the thread that looks at the machine until the process ends."""
        threading.Thread(target=self._look_again_and_again, name="fair clock", daemon=True).start()
        return self

    def now(self) -> float:
        """Seconds since an arbitrary moment."""
        with self._lock:
            before, counted = self._last
            passed = max(0.0, self.real() - before)
            fair = min(passed * min(1.0, self._cores / self._wanting()), _STEP)
            self._last = (before + passed, counted + max(fair, passed / MOST))
            return self._last[1]

    def between(self, began: float, ended: float) -> float:
        """Seconds of this clock between two Unix times. Other processes may have taken those times."""
        self.look()
        return self._at(ended) - self._at(began)

    def look(self) -> None:
        """Remember the real time and the fair time, so that `between` can use them later."""
        self.now()
        with self._lock:
            self._seen.append(self._last)

    def _at(self, moment: float) -> float:
        with self._lock:
            after = min(max(1, bisect.bisect(self._seen, (moment, 0.0))), len(self._seen) - 1)
            (first, counted), (second, later) = self._seen[after - 1], self._seen[after]
        pace = (later - counted) / (second - first) if second > first else 1.0
        return counted + (moment - first) * pace

    def _look_again_and_again(self) -> None:
        while True:
            time.sleep(_LOOK)
            self.look()


def threads_that_want_a_core() -> float:
    """The number right now, with this thread. A system that does not tell gives the average of a minute."""
    if _LOADAVG.exists():
        return float(_LOADAVG.read_text().split()[3].partition("/")[0])
    return max(1.0, os.getloadavg()[0])


def cores_of_ours() -> int:
    """The number of cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


CLOCK = FairClock().start()
