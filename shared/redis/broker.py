"""The queues, and Dramatiq's broker with consumers of ours (`shared/redis/consumers.py`)."""

import dramatiq
from dramatiq.brokers.redis import RedisBroker
from redis import Redis

from shared.redis.consumers import FurtherConsumer, PromptConsumer, TitleConsumer
from shared.redis.link import connect
from shared.redis.queues import FURTHER, QUEUES, REPLIES, TITLES
from shared.redis.room import Room
from shared.settings import Settings

# Milliseconds without a heartbeat after which Dramatiq takes a worker's unacknowledged jobs back. The lease is the real
# rescue; this is a second one.
_HEARTBEAT_TIMEOUT = 15_000
# Milliseconds that the dead letters keep a job, so that an operator can look at it.
_DEAD_MESSAGE_TTL = 86_400_000
# Chances in a million that a command looks for dead workers. Here every command of a worker does. With Dramatiq's
# default, a dead worker is found after ten minutes. A producer never looks, because Dramatiq compares the clocks of
# machines: one `web` with a fast clock would bring all running jobs back onto the queue with each post (D-118).
_OF_WORKERS, _OF_PRODUCERS = 1_000_000, 0
# Seconds that one command may take. It must be above the idle wait, which happens inside one command.
_WORKER_TIMEOUT = 5.0


_CONSUMERS: dict[str, type[PromptConsumer]] = {FURTHER: FurtherConsumer, TITLES: TitleConsumer}


class ReplyBroker(RedisBroker):
    """Dramatiq's Redis broker with a consumer that starts a job within a millisecond or two."""

    #: Once false, this process fetches no more jobs, and leaves them to other processes.
    fetching = True
    #: The threads of this process. A program that only hands over has none.
    room = Room(0)

    def consume(self, queue_name: str, prefetch: int = 1, timeout: int = 5000) -> PromptConsumer:
        kind = _CONSUMERS.get(queue_name, PromptConsumer)
        return kind(self, queue_name, prefetch, timeout)

    def do_fetch(self, queue_name: str, most: int) -> list[bytes]:
        """Fetch entries. A name without an entry becomes junk: Dramatiq would skip it, and hold it for ever."""
        entries: list[bytes | None] = self._dispatch("fetch")(queue_name, most)
        return [entry or b"" for entry in entries]


def job_for(about: str, queue: str = REPLIES) -> dramatiq.Message[None]:
    """The job on this queue about the reply, or the chat, with this id."""
    return dramatiq.Message(queue_name=queue, actor_name=QUEUES[queue], args=(about,), kwargs={}, options={})


def worker_broker(settings: Settings, middleware: list[dramatiq.Middleware]) -> ReplyBroker:
    """A broker for workers. Its commands may block, and it has connections for every thread."""
    client = connect(settings.redis_url, _WORKER_TIMEOUT)
    broker = _make_broker(client, settings.namespace, middleware, _OF_WORKERS)
    broker.room = Room(settings.worker_threads)
    return broker


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
