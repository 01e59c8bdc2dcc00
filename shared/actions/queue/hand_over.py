"""Put jobs on the queue. hand_over() is the only way there, and lost_from() notices that Redis lost the queue.

A job carries the id of one reply, and is only a hint. The row decides whether there is anything to do. If a job got
lost, the sweeper hands the reply over again. So the producer never retries, and the broker never delays a job.
"""

import time
from collections.abc import Iterable

from flask import current_app
from redis import RedisError

from shared.core import current_link
from shared.redis.broker import ReplyBroker, job_for, producing_broker
from shared.redis.queues import FURTHER, REPLIES


def hand_over(ids: Iterable[str], queue: str = REPLIES) -> None:
    """Put replies on a queue. A failure is only logged, because the sweeper hands over again.

    On the queue of titles the ids are those of chats. Nobody repeats that.

    Despite an exception, the job may be on the queue. After a failed or slow trip, the sweeper hands over (D-59).
    """
    link, broker = current_link(), _producer()
    for one in ids:
        if link.broken or link.slow:
            return
        began = time.monotonic()
        try:
            broker.enqueue(job_for(one, queue))
        except RedisError as error:
            link.trip_failed(error)
        else:
            link.trip_made(began)


def _producer() -> ReplyBroker:
    """The broker for handing over only. It gives up quickly, and never sends twice."""
    extensions = current_app.extensions
    if "producer" not in extensions:
        link = current_link()
        extensions["producer"] = producing_broker(link.client, link.namespace)
    broker: ReplyBroker = extensions["producer"]
    return broker


def queue_is_empty() -> bool:
    """Whether no reply waits to be fetched from any queue; False if Redis can't be asked."""
    link = current_link()
    pipe = link.pipeline()
    for queue in (REPLIES, FURTHER):
        pipe.llen(f"{_producer().namespace}:{queue}")
    lengths = link.send(pipe)
    return lengths is not None and not any(lengths)


def lost_from() -> int | None:
    """The `dispatched_at` after which all replies must be handed over again; None if Redis still has its queue.

    Redis has lost the queue if our marker is gone. Only one caller at a time gets an answer (D-10). That caller tells
    go_on_from() how far the hand-over came.
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
    """Let the next sweep hand over the replies whose turn came later than this."""
    link = current_link()
    with link.trip() as pipe:
        pipe.set(link.key("lost-from"), dispatched_at)
