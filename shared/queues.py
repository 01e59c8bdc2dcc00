"""The queue: its names, the broker, and hand_over(), the only way a job gets onto it.

A job carries one id. It is a hint: the row decides whether there is anything to do, and the sweeper hands over
again what got lost. So the producer never retries and the broker never delays.
"""

import logging
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import dramatiq
from dramatiq.brokers.redis import RedisBroker, _RedisConsumer
from dramatiq.errors import ConnectionClosed, DecodeError
from flask import current_app
from redis import Redis, RedisError

from shared.core import current_link, current_settings
from shared.redis_link import TRIP_TIMEOUT, connect
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


def hand_over(reply_ids: Iterable[str]) -> None:
    """Put replies on the queue. A failure is logged and changes nothing: the sweeper will do it.

    An exception does not even mean that the job is not on the queue.
    """
    link, broker = current_link(), _producer()
    for reply_id in reply_ids:
        if link.broken:
            return
        try:
            broker.enqueue(_job(reply_id))
        except RedisError as error:
            link.trip_failed(error)


def _job(reply_id: str) -> dramatiq.Message[None]:
    return dramatiq.Message(queue_name=REPLIES, actor_name=WRITE_REPLY, args=(reply_id,), kwargs={}, options={})


def _producer() -> ReplyBroker:
    """For handing over only: gives up quickly, never sends twice."""
    extensions = current_app.extensions
    if "producer" not in extensions:
        settings = current_settings()
        client = connect(settings.redis_url, TRIP_TIMEOUT)
        extensions["producer"] = _broker(client, settings.namespace, middleware=[])
    broker: ReplyBroker = extensions["producer"]
    return broker


def worker_broker(settings: Settings, middleware: list[dramatiq.Middleware]) -> ReplyBroker:
    """For workers: may block, with connections enough for every thread."""
    return _broker(connect(settings.redis_url, _WORKER_TIMEOUT), settings.namespace, middleware)


def _broker(client: Redis, prefix: str, middleware: list[dramatiq.Middleware]) -> ReplyBroker:
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


def queue_is_empty() -> bool:
    """Whether no job waits to be fetched; False if Redis can't be asked."""
    link = current_link()
    pipe = link.pipeline()
    pipe.llen(f"{_producer().namespace}:{REPLIES}")
    return link.send(pipe) == [0]


def lost_from() -> int | None:
    """When Redis has lost its queue, the `dispatched_at` after which all is to be handed over again; else None.

    It has when our marker is gone. One caller at a time gets an answer, and says how far it came: go_on_from().
    """
    link = current_link()
    pipe = link.pipeline()
    pipe.set(link.key("marker"), 1, nx=True)
    pipe.getdel(link.key("lost-from"))
    answers = link.send(pipe)
    if not answers:
        return None
    gone, after = answers
    if gone:
        return 0
    return None if after is None else int(after)


def go_on_from(dispatched_at: int) -> None:
    """Let the next sweep hand over what had its turn later."""
    link = current_link()
    with link.trip() as pipe:
        pipe.set(link.key("lost-from"), dispatched_at)
