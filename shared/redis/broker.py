"""The queues, and the broker: Dramatiq's, with a prompt consumer that survives whatever it finds in Redis."""

import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import dramatiq
from dramatiq.brokers.redis import RedisBroker, _RedisConsumer
from dramatiq.errors import ConnectionClosed, DecodeError
from redis import Redis, RedisError

from shared.redis.link import connect
from shared.settings import Settings

log = logging.getLogger(__name__)

REPLIES = "replies"
WRITE_REPLY = "write_reply"
#: Which actor each queue is for.
QUEUES = {REPLIES: WRITE_REPLY}

# Milliseconds without a sign of life before a worker's unacknowledged jobs go back; only a backstop to the lease.
_HEARTBEAT_TIMEOUT = 15_000
# Milliseconds that a job which could not be run is kept to be looked at.
_DEAD_MESSAGE_TTL = 86_400_000
# Of a million commands: every one looks for dead workers. The default needs ten minutes to find one.
_MAINTENANCE_CHANCE = 1_000_000
# The option of a job that holds its name on the queue, by which it is acknowledged.
_NAME = "redis_message_id"
# Seconds that an idle consumer blocks in Redis, and so the longest that a shutdown waits for it.
_IDLE_WAIT = 1.0
# Seconds between looks for a free thread while every one is busy.
_BUSY_WAIT = 0.01
# Seconds; above the idle wait, which is spent inside one command.
_WORKER_TIMEOUT = 5.0


@contextmanager
def _any_trouble_as_lost_connection() -> Iterator[None]:
    """Dramatiq waits and tries again after a lost connection; so it may for a full, frozen or read-only Redis."""
    try:
        yield
    except RedisError as error:
        raise ConnectionClosed(error) from None


class _PromptConsumer(_RedisConsumer):
    """Waits inside Redis for a job, where the original sleeps between looks (333 ms in the middle)."""

    def __init__(self, broker: RedisBroker, queue_name: str, prefetch: int, timeout: int) -> None:
        super().__init__(broker, queue_name, prefetch, timeout=0)
        self._key = f"{broker.namespace}:{queue_name}"

    def __next__(self) -> Any:
        if not self.message_cache:
            self._wait()
        if not self.broker.fetching:
            self.prefetch = 0
        with _any_trouble_as_lost_connection():
            try:
                return self._next_job()
            except (DecodeError, TypeError, ValueError):
                self._bury_junk()
        return None

    def ack(self, message: Any) -> None:
        with _any_trouble_as_lost_connection():
            super().ack(message)

    def nack(self, message: Any) -> None:
        with _any_trouble_as_lost_connection():
            super().nack(message)

    def _next_job(self) -> Any:
        message = super().__next__()
        if message and not _has_name(message):
            self.queued_message_ids.discard(message.message_id)
            raise ValueError
        return message

    def _bury_junk(self) -> None:
        """Move what was fetched and is no job to the dead letters. It comes without its name, so that is looked for."""
        broker = self.broker
        fetched = list(broker.client.smembers(f"{broker.namespace}:__acks__.{broker.broker_id}.{self.queue_name}"))
        entries = broker.client.hmget(f"{self._key}.msgs", fetched) if fetched else []
        for name, entry in zip(fetched, entries, strict=True):
            if not _is_job(entry):
                log.warning("queue.junk: an entry of the queue is not a job; it is with the dead letters")
                broker.do_nack(self.queue_name, name)

    def _wait(self) -> None:
        if self.outstanding_message_count >= self.prefetch:
            time.sleep(_BUSY_WAIT)
            return
        try:  # moving the head onto itself changes nothing, but blocks until there is one
            self.broker.client.execute_command("BLMOVE", self._key, self._key, "LEFT", "LEFT", _IDLE_WAIT)
        except RedisError:
            time.sleep(_IDLE_WAIT)  # the next fetch reports it


def _is_job(entry: bytes | None) -> bool:
    try:
        return entry is not None and _has_name(dramatiq.Message.decode(entry))
    except DecodeError:
        return False


def _has_name(message: Any) -> bool:
    """Without one it could be run, but never acknowledged."""
    return isinstance(message.options, dict) and _NAME in message.options


class ReplyBroker(RedisBroker):
    """Dramatiq's Redis broker with a consumer that starts a job within a millisecond or two."""

    #: Once false, this process leaves what is on the queue to others.
    fetching = True

    @property
    def consumer_class(self) -> type[_RedisConsumer]:
        return _PromptConsumer

    def do_fetch(self, queue_name: str, most: int) -> list[bytes]:
        """Dramatiq passes over a name without an entry, and would never let go of it: so it is made junk."""
        entries: list[bytes | None] = self._dispatch("fetch")(queue_name, most)
        return [entry or b"" for entry in entries]


def job_for(reply_id: str) -> dramatiq.Message[None]:
    """What is put on the queue to have this reply written."""
    return dramatiq.Message(queue_name=REPLIES, actor_name=WRITE_REPLY, args=(reply_id,), kwargs={}, options={})


def worker_broker(settings: Settings, middleware: list[dramatiq.Middleware]) -> ReplyBroker:
    """For workers: may block, with connections enough for every thread."""
    return make_broker(connect(settings.redis_url, _WORKER_TIMEOUT), settings.namespace, middleware)


def make_broker(client: Redis, prefix: str, middleware: list[dramatiq.Middleware]) -> ReplyBroker:
    """With every queue declared; `prefix` is the environment's."""
    broker = ReplyBroker(
        client=client,
        namespace=f"{prefix}:queue",
        middleware=middleware,
        heartbeat_timeout=_HEARTBEAT_TIMEOUT,
        maintenance_chance=_MAINTENANCE_CHANCE,
        dead_message_ttl=_DEAD_MESSAGE_TTL,
    )
    for queue in QUEUES:
        broker.declare_queue(queue)
    return broker
