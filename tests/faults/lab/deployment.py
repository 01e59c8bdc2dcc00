"""The four programs on one kind of database, with their own Redis and model. Many tests maltreat them."""

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from typing import Self

import httpx2
from redis import Redis
from sqlalchemy import Engine, update

from shared.models.user import users
from shared.redis.broker import ReplyBroker, job_for
from shared.redis.queues import REPLIES
from tests.e2e.rows import engine_of
from tests.environment import environment
from tests.eventually import eventually, patience
from tests.fake_model import FakeModel
from tests.faults.lab import witness
from tests.faults.lab.checker.rules import MAX_ACTIVE
from tests.services.guard import Guard
from tests.services.postgres import PostgresDatabases
from tests.services.programs import Programs
from tests.services.redis import RedisServer
from tests.services.sqlite import SqliteDatabases

PROGRAMS = ("web", "realtime", "worker", "sweeper")
_REDIS_DEFAULTS = {"maxmemory": "0", "maxmemory-policy": "noeviction", "appendonly": "yes"}
# Each test needs these on top of the times of tests/environment.py. A worker's threads are for 20 replies at once.
_SETTINGS = {
    "HOLDFAST_MAX_ACTIVE_REPLIES": str(MAX_ACTIVE),
    "HOLDFAST_DRAIN_SECONDS": "5",
}


class Deployment:
    """A deployment takes seconds to start. So many tests share one, which is made whole again between them."""

    def __init__(self, guard: Guard, kind: str, databases: SqliteDatabases | PostgresDatabases) -> None:
        self.kind = kind
        self._guard, self._databases = guard, databases
        # The start options of each program that was not started as usual
        self._started: dict[str, dict[str, str]] = {}

    def __enter__(self) -> Self:
        with ExitStack() as stack:
            self.database_url = stack.enter_context(self._databases.fresh())
            self.engine: Engine = engine_of(self.database_url)
            stack.callback(self.engine.dispose)
            witness.install(self.engine)
            self.model = stack.enter_context(FakeModel())
            self.redis = stack.enter_context(RedisServer(self._guard, f"faults-{self.kind}-redis"))
            data = self._guard.folder / f"faults-{self.kind}-data"
            settings = environment(self.database_url, self.redis.url, data, self.model.base_url) | _SETTINGS
            self.hold_file = self._guard.folder / f"faults-{self.kind}-hold"
            self.programs = Programs(self._guard, f"faults-{self.kind}", settings, green=True)
            stack.enter_context(self.programs)
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def redis_client(self) -> Redis:
        """A patient client of the Redis that the programs use."""
        return Redis.from_url(self.redis.url, socket_timeout=patience(5))

    def restart(self, name: str, *, instead: str = "", **environment: str) -> None:
        """Kill this program if it lives, and start it as usual or maltreated. This lasts until the test is over."""
        program = self.programs[name]
        program.kill()
        self._started[name] = ({"instead": instead} if instead else {}) | environment
        program.start(instead=instead, **environment)
        if name in ("web", "realtime"):
            eventually(lambda: program.must_live() and self._answers(name), within=30)

    def mend(self) -> None:
        """Start dead programs again, as a supervisor does, and let frozen programs go on."""
        self._mend_redis()
        for name in PROGRAMS:
            if self.programs[name].alive:
                self.programs[name].thaw()
            else:
                self.restart(name, **self._started.get(name, {}))

    def make_whole(self, given: Mapping[str, dict[str, str]]) -> None:
        """Prepare the next test: all programs as usual or as given, an empty Redis, a model that remembers nothing.

        A program that already runs like that goes on.
        """
        self._mend_redis()
        for name in PROGRAMS:
            if self.programs[name].alive and self._started.get(name, {}) == given.get(name, {}):
                self.programs[name].thaw()
            else:
                self.restart(name, **given.get(name, {}))
        with self.redis_client() as redis:
            for option, value in _REDIS_DEFAULTS.items():
                redis.config_set(option, value)
            redis.replicaof("NO", "ONE")
            redis.flushall()
        self.model.forget()
        self.programs.wait_until_ready()

    def redeliver(self, *reply_ids: str) -> None:
        """Put these jobs on the queue, as if Redis had kept them or had delivered them before."""
        broker = ReplyBroker(url=self.redis.url, namespace="holdfast:test:queue", middleware=[])
        broker.declare_queue(REPLIES)
        for reply_id in reply_ids:
            broker.enqueue(job_for(reply_id))
        broker.close()

    def fetched(self) -> list[int]:
        """The number of fetched and not yet acknowledged jobs, for each worker process that has any."""
        with self.redis_client() as redis:
            return [int(redis.scard(key)) for key in redis.scan_iter("holdfast:test:queue:__acks__*")]

    @contextmanager
    def nothing_changes_of(self, user_id: str) -> Iterator[None]:
        """While the block lasts, nobody changes anything of this user, because all lock the user's row first."""
        with self.engine.connect() as connection:
            connection.execute(update(users).where(users.c.id == user_id).values(seq=users.c.seq))
            yield
            connection.rollback()

    def pids(self) -> dict[str, int]:
        return {name: self.programs[name].pid for name in PROGRAMS}

    def _mend_redis(self) -> None:
        if self.redis.alive:
            self.redis.thaw()
        else:
            self.redis.kill()
            self.redis.start()

    def _answers(self, name: str) -> bool:
        url = self.programs.url if name == "web" else self.programs.realtime_url
        try:
            return httpx2.get(f"{url}/healthz", timeout=patience(2)).status_code == 200
        except httpx2.TransportError:
            return False
