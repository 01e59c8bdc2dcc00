"""Random faults, one after the other, each mended before the next. The same seed makes the same plan."""

import random
import time
from collections.abc import Callable, Iterator

from tests.faults.lab.deployment import PROGRAMS, Deployment

# Seconds that something stays broken. A frozen program may hold the database's lock, and others wait 5 s for that.
_SHORT, _LONG = (0.2, 1.5), (1.0, 3.0)
# Seconds between two faults.
_PAUSE = (0.5, 2.0)


class Nemesis:
    """Breaks a deployment and mends it. `done` lists each fault and its time."""

    def __init__(self, deployment: Deployment, seed: int) -> None:
        self.done: list[str] = []
        self._deployment, self._random = deployment, random.Random(seed)
        self._faults: list[tuple[str, Callable[[], object]]] = list(self._all_faults())

    def rage(self, seconds: float) -> None:
        """Make one fault after the other for so long."""
        began = time.monotonic()
        while time.monotonic() - began < seconds:
            time.sleep(self._random.uniform(*_PAUSE))
            name, fault = self._random.choice(self._faults)
            self.done.append(f"{time.monotonic() - began:6.1f} s  {name}")
            fault()
            self._deployment.mend()

    def _all_faults(self) -> Iterator[tuple[str, Callable[[], object]]]:
        for name in PROGRAMS:
            program = self._deployment.programs[name]
            yield f"kill -9 {name}", lambda program=program: self._for_a_while(program.kill, _SHORT)
            yield f"SIGSTOP {name}", lambda program=program: self._for_a_while(program.freeze, _LONG)
            yield f"SIGTERM {name}", program.stop
        redis = self._deployment.redis
        yield "SIGSTOP redis", lambda: self._for_a_while(redis.freeze, _LONG)
        yield "kill -9 redis", lambda: self._for_a_while(redis.kill, _SHORT)
        yield "FLUSHALL", redis.empty
        yield "CLIENT KILL normal", lambda: self._cut("normal")
        yield "CLIENT KILL pubsub", lambda: self._cut("pubsub")

    def _for_a_while(self, breaking: Callable[[], object], seconds: tuple[float, float]) -> None:
        breaking()
        time.sleep(self._random.uniform(*seconds))

    def _cut(self, kind: str) -> None:
        with self._deployment.redis_client() as redis:
            redis.client_kill_filter(_type=kind, skipme=True)
