"""The test run's own Redis server: the product's real embedded one, on a Unix socket."""

import threading

from redis import Redis

from shared.command.embedded_redis import EmbeddedRedis
from tests.services.guard import Guard
from tests.services.service import Service


class RedisServer(Service):
    """Keeps its data over a restart."""

    def __init__(self, guard: Guard, name: str = "redis") -> None:
        self._redis = EmbeddedRedis(guard.folder / name)
        self.url, self.folder = self._redis.url, self._redis.folder
        super().__init__(guard, name, self._redis.command)

    def start(self, *, instead: str = "", **environment: str) -> None:
        super().start(instead=instead, **environment)
        self._redis.wait_until_ready(threading.Event())

    def empty(self) -> None:
        with Redis.from_url(self.url) as redis:
            redis.flushall()
