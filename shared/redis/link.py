"""The way to Redis for everything but the queue: pipelined trips that may fail without harm.

Redis holds hints only (events, live text, queue entries), so a failed trip is logged and counted, never raised.
"""

import logging
import socket
import threading
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

# Seconds that one answer may take, and a trip in all before the hand-over after it is left to a sweep. A request makes
# two trips at most, so a frozen Redis costs it less than the second it may spend there. One that is merely slow may
# cost four answers: of a new connection with password and number, or of a script that Redis doesn't know yet.
TRIP_TIMEOUT = 0.45
# Seconds without another try after one failed, so that a frozen Redis doesn't delay every request.
BREAK = 2.0
_MAX_CONNECTIONS = 512  # far above the threads of a process; redis-py's own limit of 100 is not


def connect(url: str, timeout: float) -> Redis:
    """A client that gives up after `timeout` seconds and never sends a command twice."""
    return Redis(connection_pool=_pool(url, timeout))


def _pool(url: str, timeout: float) -> ConnectionPool:
    """Connections that ask nothing of their own but what the address needs: each answer would delay the first trip."""
    return ConnectionPool.from_url(
        url,
        max_connections=_MAX_CONNECTIONS,
        socket_timeout=timeout,
        socket_connect_timeout=min(timeout, TRIP_TIMEOUT),
        retry=Retry(NoBackoff(), 0),
        protocol=2,  # the newer one begins with HELLO
        driver_info=None,  # else CLIENT SETINFO, twice
    )


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
        #: For trips, and for the producer of jobs, which then needs no connections of its own.
        self.client = connect(url, TRIP_TIMEOUT)
        self._broken_until, self._quiet_until = 0.0, 0.0
        self._of_this_thread = threading.local()

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
        return self.client.pipeline(transaction=False)

    def send(self, pipe: Pipeline) -> list[Any] | None:
        """Make the trip: the commands' answers, or None if Redis could not be asked or refused one of them."""
        if not len(pipe) or self.broken:
            return None
        began = time.monotonic()
        try:
            answers = list(pipe.execute())
        except RedisError as error:
            self.trip_failed(error)
            return None
        self.trip_made(began)
        return answers

    def subscriber(self) -> PubSub:
        """For listening on the channel: `listen()` waits for as long as it likes, all else has the usual time.

        It doesn't try again by itself: whoever listens knows better when.
        """
        return PubSub(_pool(self._url, TRIP_TIMEOUT))

    @property
    def broken(self) -> bool:
        """Whether trips are skipped just now."""
        return time.monotonic() < self._broken_until

    @property
    def slow(self) -> bool:
        """Whether this thread has just spent so much on a trip that it had better leave others a hand-over.

        The time-out is for each answer; a new connection, or a script that Redis doesn't know yet, needs several.
        """
        return time.monotonic() < getattr(self._of_this_thread, "slow_until", 0.0)

    def trip_made(self, began: float) -> None:
        """Note when a trip that succeeded had begun."""
        now = time.monotonic()
        self._of_this_thread.slow_until = now + BREAK if now - began > TRIP_TIMEOUT else 0.0

    def trip_failed(self, error: Exception) -> None:
        """Note a failure, and skip trips for a moment if the next would fail too: Redis is away, or takes no writes."""
        cause = str(error).rpartition("caused error: ")[2]  # before that stands the command, with what it says of whom
        of_one_command = isinstance(error, ResponseError) and not isinstance(error, (OutOfMemoryError, ReadOnlyError))
        if not of_one_command or cause.startswith("MISCONF"):  # it can't save to its disk
            self._broken_until = time.monotonic() + BREAK
        self._warn(cause)

    def _warn(self, cause: str) -> None:
        now = time.monotonic()
        if now < self._quiet_until:
            return
        self._quiet_until = now + BREAK
        log.warning("redis.trip_failed: %s; events and hand-overs wait for the sweeper", cause)
