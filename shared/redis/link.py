"""Connects to Redis for everything but fetching jobs. A trip is one pipeline of commands, and may fail.

Redis holds hints only: events, live text, queue entries. So a failed trip is logged and never raised.
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

# Seconds that one answer may take. A request makes two trips at most, so a frozen Redis costs it less than a second. A
# trip may need four answers: its connection may be new, with password and number, or its script.
# After a trip of more than these seconds, the sweeper makes the thread's next hand-over (D-59).
TRIP_TIMEOUT = 0.45
# Seconds without another trip after Redis was away, full or read-only (D-58). Otherwise a frozen Redis would delay
# every request.
BREAK = 2.0
_MAX_CONNECTIONS = 512  # far above the threads of a process; the default of redis-py, 100, is not


def connect(url: str, timeout: float) -> Redis:
    """A client that gives up after `timeout` seconds and never sends a command twice."""
    return Redis(connection_pool=_pool(url, timeout))


def _pool(url: str, timeout: float) -> ConnectionPool:
    return ConnectionPool.from_url(url, **connection_options(timeout))


def connection_options(timeout: float) -> dict[str, Any]:
    """Options for connections without set-up commands but those of the address. Each would delay the first trip."""
    return {
        "max_connections": _MAX_CONNECTIONS,
        "socket_timeout": timeout,
        "socket_connect_timeout": min(timeout, TRIP_TIMEOUT),
        "retry": Retry(NoBackoff(), 0),
        "protocol": 2,  # version 3 would begin with HELLO
        "driver_info": None,  # otherwise redis-py sends CLIENT SETINFO twice
    }


def refuse_eviction(settings: Settings) -> None:
    """Refuse a Redis that may evict keys: it would silently drop waiting jobs. Each program calls this once (D-55).

    Raises SettingsError in production, and logs a warning elsewhere. A Redis that is away is not checked.
    """
    try:
        policy = connect(settings.redis_url, TRIP_TIMEOUT).info("memory").get("maxmemory_policy")
    except RedisError as error:
        log.warning("redis.not_checked: %s; the program starts without knowing whether Redis may evict jobs", error)
        return
    if policy in (None, "noeviction"):  # a server that does not tell its policy is accepted
        return
    sentence = f"The Redis at REDIS_URL may evict waiting jobs: set its maxmemory-policy to noeviction, not {policy}."
    if settings.env == "production":
        raise SettingsError(sentence)
    log.warning("redis.may_evict: %s", sentence)


def shut(subscription: PubSub) -> None:
    """End a subscription from another thread. Shutting the socket wakes its reader; close() would leave it asleep."""
    used = subscription.connection and subscription.connection._sock
    if used:
        with suppress(OSError):
            used.shutdown(socket.SHUT_RDWR)


class RedisLink:
    """One process's connections. A breaker skips trips for 2 s after Redis was away, full or read-only (D-58)."""

    def __init__(self, url: str, namespace: str) -> None:
        self.namespace = namespace
        self._url = url
        #: For trips and for the producer of jobs, so that the producer needs no connections of its own.
        self.client = connect(url, TRIP_TIMEOUT)
        self._broken_until, self._quiet_until = 0.0, 0.0
        self._of_this_thread = threading.local()

    @property
    def channel(self) -> str:
        """The name of the event channel. It names the environment, because pub/sub ignores Redis database numbers."""
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
        """A trip without commands yet."""
        return self.client.pipeline(transaction=False)

    def send(self, pipe: Pipeline) -> list[Any] | None:
        """Send the commands. Returns their answers; None if Redis did not answer or refused one of them."""
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
        """A connection for listening to the channel. Only its `listen()` has no time-out.

        It does not reconnect by itself. The caller decides when to try again.
        """
        return PubSub(_pool(self._url, TRIP_TIMEOUT))

    @property
    def broken(self) -> bool:
        """Whether the breaker skips trips just now."""
        return time.monotonic() < self._broken_until

    @property
    def slow(self) -> bool:
        """Whether this thread's last trip took so long that it should leave its next hand-over to the sweeper (D-59).

        The time-out counts for each answer. A new connection or a script that is new to Redis needs several answers.
        """
        return time.monotonic() < getattr(self._of_this_thread, "slow_until", 0.0)

    def trip_made(self, began: float) -> None:
        """Note a successful trip that began at this time. If it was slow, `slow` is true for 2 s."""
        now = time.monotonic()
        self._of_this_thread.slow_until = now + BREAK if now - began > TRIP_TIMEOUT else 0.0

    def trip_failed(self, error: Exception) -> None:
        """Note a failed trip. If Redis is away or takes no writes, the breaker skips all trips for 2 s (D-58)."""
        cause = str(error).rpartition("caused error: ")[2]  # the part before may hold private data of the command
        of_one_command = isinstance(error, ResponseError) and not isinstance(error, (OutOfMemoryError, ReadOnlyError))
        if not of_one_command or cause.startswith("MISCONF"):  # MISCONF: Redis cannot save to its disk
            self._broken_until = time.monotonic() + BREAK
        self._warn(cause)

    def _warn(self, cause: str) -> None:
        now = time.monotonic()
        if now < self._quiet_until:
            return
        self._quiet_until = now + BREAK
        log.warning("redis.trip_failed: %s; events may be lost, and the sweeper hands replies over later", cause)
