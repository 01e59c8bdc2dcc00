"""The way to Redis for everything but the queue: pipelined trips that may fail without harm.

Redis holds hints only (events, live text, queue entries), so a failed trip is logged and counted, never raised.
"""

import logging
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

from redis import ConnectionPool, Redis, RedisError
from redis.backoff import NoBackoff
from redis.client import Pipeline, PubSub
from redis.exceptions import OutOfMemoryError, ReadOnlyError, ResponseError
from redis.retry import Retry

from shared.settings import Settings, SettingsError

log = logging.getLogger(__name__)

# Seconds. A request makes two trips at most, so a frozen Redis costs it less than the second it may spend there.
TRIP_TIMEOUT = 0.45
# Seconds without another try after one failed, so that a frozen Redis doesn't delay every request.
BREAK = 2.0
_MAX_CONNECTIONS = 512  # far above the threads of a process; redis-py's own limit of 100 is not


def connect(url: str, timeout: float) -> Redis:
    """A client that gives up after `timeout` seconds and never sends a command twice."""
    pool = ConnectionPool.from_url(
        url,
        max_connections=_MAX_CONNECTIONS,
        socket_timeout=timeout,
        socket_connect_timeout=min(timeout, TRIP_TIMEOUT),
        retry=Retry(NoBackoff(), 0),
    )
    return Redis(connection_pool=pool)


def refuse_eviction(settings: Settings) -> None:
    """Called once by each program: a Redis that may evict throws away waiting jobs without a word.

    Raises SettingsError in production; elsewhere it is a warning. A Redis that is away just now may start later.
    """
    try:
        policy = connect(settings.redis_url, TRIP_TIMEOUT).info("memory").get("maxmemory_policy")
    except RedisError as error:
        log.warning("redis.not_checked: %s", error)
        return
    if policy in (None, "noeviction"):  # a server that doesn't tell can't be judged
        return
    sentence = f"The Redis at REDIS_URL may evict waiting jobs: set its maxmemory-policy to noeviction, not {policy}."
    if settings.env == "production":
        raise SettingsError(sentence)
    log.warning("redis.may_evict: %s", sentence)


def shut(subscription: PubSub) -> None:
    """End it from another thread: close() would leave its reader asleep, a shut socket wakes it at once."""
    used = subscription.connection and subscription.connection._sock
    if used:
        with suppress(OSError):
            used.shutdown(socket.SHUT_RDWR)


class RedisLink:
    """One process's connections, with a breaker that skips trips for a moment after one that failed for all."""

    def __init__(self, url: str, namespace: str) -> None:
        self.namespace = namespace
        self._url = url
        self._client = connect(url, TRIP_TIMEOUT)
        self._broken_until, self._quiet_until = 0.0, 0.0

    @property
    def channel(self) -> str:
        """Where events travel. Pub/sub ignores Redis database numbers, so the name tells environments apart."""
        return f"{self.namespace}:events"

    def key(self, *parts: object) -> str:
        """A key of this environment."""
        return ":".join([self.namespace, *map(str, parts)])

    @contextmanager
    def trip(self) -> Iterator[Pipeline]:
        """Collect commands, then send them in one round trip."""
        pipe = self.pipeline()
        yield pipe
        self.send(pipe)

    def pipeline(self) -> Pipeline:
        """An empty trip."""
        return self._client.pipeline(transaction=False)

    def send(self, pipe: Pipeline) -> list[Any] | None:
        """Make the trip: the commands' answers, or None if Redis could not be asked or refused one of them."""
        if not len(pipe) or self.broken:
            return None
        try:
            return list(pipe.execute())
        except RedisError as error:
            self.trip_failed(error)
            return None

    def subscriber(self) -> PubSub:
        """For listening on the channel: `listen()` waits for as long as it likes, all else has the usual time.

        It doesn't try again by itself: whoever listens knows better when.
        """
        pool = ConnectionPool.from_url(
            self._url,
            socket_timeout=TRIP_TIMEOUT,
            socket_connect_timeout=TRIP_TIMEOUT,
            retry=Retry(NoBackoff(), 0),
        )
        return PubSub(pool)

    @property
    def broken(self) -> bool:
        """Whether trips are skipped just now."""
        return time.monotonic() < self._broken_until

    def trip_failed(self, error: Exception) -> None:
        """Note a failure, and skip trips for a moment if the next would fail too: Redis is away, or takes no writes."""
        now = time.monotonic()
        cause = str(error).rpartition("caused error: ")[2]  # before that stands the command, with what it says of whom
        of_one_command = isinstance(error, ResponseError) and not isinstance(error, (OutOfMemoryError, ReadOnlyError))
        if not of_one_command or cause.startswith("MISCONF"):  # it can't save to its disk
            self._broken_until = now + BREAK
        if now < self._quiet_until:
            return
        self._quiet_until = now + BREAK
        log.warning("redis.trip_failed: %s; events and hand-overs wait for the sweeper", cause)
