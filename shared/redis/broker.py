"""The queues, and Dramatiq's broker with a consumer of ours. It starts jobs promptly, and survives junk in a queue."""

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
#: The actor of each queue.
QUEUES = {REPLIES: WRITE_REPLY}

# Milliseconds without a heartbeat after which Dramatiq takes a worker's unacknowledged jobs back. The lease is the real
# rescue; this is a second one.
_HEARTBEAT_TIMEOUT = 15_000
# Milliseconds that the dead letters keep a job, so that an operator can look at it.
_DEAD_MESSAGE_TTL = 86_400_000
# Chances in a million that a command looks for dead workers. Here every command of a worker does. With Dramatiq's
# default, a dead worker is found after ten minutes. A producer never looks, because Dramatiq compares the clocks of
# machines: one `web` with a fast clock would bring all running jobs back onto the queue with each post (D-143).
_OF_WORKERS, _OF_PRODUCERS = 1_000_000, 0
# The option of a job that holds its name on the queue. The worker acknowledges a job by this name.
_NAME = "redis_message_id"
# Seconds that an idle consumer blocks in Redis (D-02). A shutdown may have to wait as long for the consumer.
_IDLE_WAIT = 1.0
# Seconds between two checks for a free thread while all are busy.
_BUSY_WAIT = 0.01
# Seconds that one command may take. It must be above the idle wait, which happens inside one command.
_WORKER_TIMEOUT = 5.0


@contextmanager
def _any_trouble_as_lost_connection() -> Iterator[None]:
    """Raise any error of Redis as a lost connection, because Dramatiq tries again after one (D-57).

    A full, frozen or read-only Redis raises other errors. Without this, a finished job could run again.
    """
    try:
        yield
    except RedisError as error:
        raise ConnectionClosed(error) from None


class _PromptConsumer(_RedisConsumer):
    """Waits for a job inside Redis. Dramatiq's own consumer sleeps between looks (333 ms in the median)."""

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
        """Move the fetched entries that are no jobs to the dead letters (D-03).

        Dramatiq does not tell the name of such an entry, so this searches all entries that the worker has fetched.
        """
        broker = self.broker
        fetched = list(broker.client.smembers(f"{broker.namespace}:__acks__.{broker.broker_id}.{self.queue_name}"))
        entries = broker.client.hmget(f"{self._key}.msgs", fetched) if fetched else []
        for name, entry in zip(fetched, entries, strict=True):
            if not _is_job(entry):
                log.warning("queue.junk: an entry of the queue is no job; the worker moved it to the dead letters")
                broker.do_nack(self.queue_name, name)

    def _wait(self) -> None:
        if self.outstanding_message_count >= self.prefetch:
            time.sleep(_BUSY_WAIT)
            return
        try:  # moving the head onto itself changes nothing, but blocks until there is a head (D-02)
            self.broker.client.execute_command("BLMOVE", self._key, self._key, "LEFT", "LEFT", _IDLE_WAIT)
        except RedisError:
            time.sleep(_IDLE_WAIT)  # the next fetch reports the error


def _is_job(entry: bytes | None) -> bool:
    try:
        return entry is not None and _has_name(dramatiq.Message.decode(entry))
    except DecodeError:
        return False


def _has_name(message: Any) -> bool:
    """Whether the job has a name. Without one, the worker could run it but never acknowledge it."""
    return isinstance(message.options, dict) and _NAME in message.options


class ReplyBroker(RedisBroker):
    """Dramatiq's Redis broker with a consumer that starts a job within a millisecond or two."""

    #: Once false, this process fetches no more jobs, and leaves them to other processes.
    fetching = True

    @property
    def consumer_class(self) -> type[_RedisConsumer]:
        return _PromptConsumer

    def do_fetch(self, queue_name: str, most: int) -> list[bytes]:
        """Fetch entries. A name without an entry becomes junk: Dramatiq would skip it, and hold it for ever."""
        entries: list[bytes | None] = self._dispatch("fetch")(queue_name, most)
        return [entry or b"" for entry in entries]


def job_for(reply_id: str) -> dramatiq.Message[None]:
    """The job on the queue that has a worker write this reply."""
    return dramatiq.Message(queue_name=REPLIES, actor_name=WRITE_REPLY, args=(reply_id,), kwargs={}, options={})


def worker_broker(settings: Settings, middleware: list[dramatiq.Middleware]) -> ReplyBroker:
    """A broker for workers. Its commands may block, and it has connections for every thread."""
    client = connect(settings.redis_url, _WORKER_TIMEOUT)
    return _make_broker(client, settings.namespace, middleware, _OF_WORKERS)


def producing_broker(client: Redis, prefix: str) -> ReplyBroker:
    """A broker for handing over only, on this client. `prefix` is the namespace of the environment."""
    return _make_broker(client, prefix, [], _OF_PRODUCERS)


def _make_broker(client: Redis, prefix: str, middleware: list[dramatiq.Middleware], maintenance: int) -> ReplyBroker:
    broker = ReplyBroker(
        client=client,
        namespace=f"{prefix}:queue",
        middleware=middleware,
        heartbeat_timeout=_HEARTBEAT_TIMEOUT,
        maintenance_chance=maintenance,
        dead_message_ttl=_DEAD_MESSAGE_TTL,
    )
    for queue in QUEUES:
        broker.declare_queue(queue)
    return broker
