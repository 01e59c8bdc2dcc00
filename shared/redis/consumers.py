"""How a worker fetches jobs: promptly, whatever lies in a queue, and further jobs only while there is room for them."""

import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import dramatiq
from dramatiq.brokers.redis import RedisBroker, _RedisConsumer
from dramatiq.errors import ConnectionClosed, DecodeError
from redis import RedisError

from shared.redis.queues import QUEUES

log = logging.getLogger(__name__)

# The option of a job that holds its name on the queue. The worker acknowledges a job by this name.
_NAME = "redis_message_id"
# Seconds that an idle consumer blocks in Redis (D-02). A shutdown may have to wait as long for the consumer.
_IDLE_WAIT = 1.0
# Seconds between two checks for a free thread while all are busy.
_BUSY_WAIT = 0.01


@contextmanager
def _any_trouble_as_lost_connection() -> Iterator[None]:
    """Raise any error of Redis as a lost connection, because Dramatiq tries again after one (D-57).

    A full, frozen or read-only Redis raises other errors. Without this, a finished job could run again.
    """
    try:
        yield
    except RedisError as error:
        raise ConnectionClosed(error) from None


class PromptConsumer(_RedisConsumer):
    """Waits for a job inside Redis. Dramatiq's own consumer sleeps between looks (333 ms in the median)."""

    def __init__(self, broker: RedisBroker, queue_name: str, prefetch: int, timeout: int) -> None:
        super().__init__(broker, queue_name, prefetch, timeout=0)
        self._key = f"{broker.namespace}:{queue_name}"
        self._threads = prefetch

    def __next__(self) -> Any:
        self.prefetch = self._most() if self.broker.fetching else 0
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

    def _most(self) -> int:
        """The jobs that may be outstanding. Each further reply has a thread, too; a job must not wait for it here."""
        return self._threads - int(self.broker.room.further)

    def _next_job(self) -> Any:
        message = super().__next__()
        if message and not _is_ours(message, self.queue_name):
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
            if not _is_job(entry, self.queue_name):
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


class FurtherConsumer(PromptConsumer):
    """Fetches one job at a time, and only while its process has room for a further reply (D-115)."""

    def _most(self) -> int:
        return int(self.outstanding_message_count + self.broker.room.left)

    def _next_job(self) -> Any:
        room = self.broker.room
        if not room.take():
            return None
        self.prefetch = min(self.prefetch, self.outstanding_message_count + 1)
        job = None
        try:
            job = super()._next_job()
        finally:
            if job is None:
                room.leave(further=True)
        return job


class TitleConsumer(FurtherConsumer):
    """Fetches titles only while there is room for further replies too, and into a quarter of the threads at most."""

    def _most(self) -> int:
        return min(super()._most(), int(self.broker.room.for_titles))


def _is_job(entry: bytes | None, queue: str) -> bool:
    try:
        return entry is not None and _is_ours(dramatiq.Message.decode(entry), queue)
    except DecodeError:
        return False


def _is_ours(message: Any, queue: str) -> bool:
    """Whether the job has a name, and runs the actor of this queue with one id.

    Without a name, the worker could never acknowledge it. Of any other job, nobody would give the room back.
    """
    named = isinstance(message.options, dict) and _NAME in message.options and "eta" not in message.options
    meant = (message.queue_name, message.actor_name) == (queue, QUEUES.get(queue))
    return named and meant and len(message.args) == 1 and isinstance(message.args[0], str) and not message.kwargs
