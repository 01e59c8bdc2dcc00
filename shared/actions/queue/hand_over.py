"""Handing over: hand_over() is the only way a job gets onto the queue, and lost_from() notices that the queue is gone.

A job carries one id. It is a hint: the row decides whether there is anything to do, and the sweeper hands over
again what got lost. So the producer never retries and the broker never delays.
"""

import time
from collections.abc import Iterable

from flask import current_app
from redis import RedisError

from shared.core import current_link
from shared.redis.broker import REPLIES, ReplyBroker, job_for, make_broker


def hand_over(reply_ids: Iterable[str]) -> None:
    """Put replies on the queue. A failure is logged and changes nothing: the sweeper will do it.

    An exception does not even mean that the job is not on the queue.
    """
    link, broker = current_link(), _producer()
    for reply_id in reply_ids:
        if link.broken or link.slow:
            return
        began = time.monotonic()
        try:
            broker.enqueue(job_for(reply_id))
        except RedisError as error:
            link.trip_failed(error)
        else:
            link.trip_made(began)


def _producer() -> ReplyBroker:
    """For handing over only: gives up quickly, never sends twice."""
    extensions = current_app.extensions
    if "producer" not in extensions:
        link = current_link()
        extensions["producer"] = make_broker(link.client, link.namespace, middleware=[])
    broker: ReplyBroker = extensions["producer"]
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
