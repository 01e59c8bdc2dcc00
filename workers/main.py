"""Sets up a worker process: the broker, its middleware, the actor, and the threads that serve all replies."""

import socket
from dataclasses import replace

import dramatiq
from dramatiq.middleware import Retries, TimeLimit

from shared.actions.queue.hand_over import hand_over
from shared.core import create_core, spare_the_collector
from shared.failpoints import reach
from shared.redis.broker import REPLIES, WRITE_REPLY, worker_broker
from shared.settings import load_settings
from workers.alone.writer import AloneWriter
from workers.middleware import AppContextMiddleware, DrainMiddleware
from workers.reply import create_desk, write_reply

#: Milliseconds beyond the reply's deadline after which Dramatiq ends the thread. All our own limits are shorter.
MARGIN_MS = 60_000


def create_worker() -> dramatiq.Broker:
    """Set up this process. Dramatiq's command line calls this once in each worker process."""
    require_real_sockets()
    settings = load_settings()
    core = create_core(settings)
    desk = create_desk(core, settings)
    desk = replace(desk, write_alone=AloneWriter(settings, desk.watchdog).write)

    broker = worker_broker(settings, [TimeLimit(), Retries(max_retries=0), AppContextMiddleware(core)])
    broker.add_middleware(DrainMiddleware(broker, desk.watchdog, settings.drain_seconds))
    dramatiq.set_broker(broker)
    limit_ms = int(settings.reply_timeout * 1000) + MARGIN_MS

    @dramatiq.actor(actor_name=WRITE_REPLY, queue_name=REPLIES, time_limit=limit_ms, broker=broker)
    def write(reply_id: str) -> None:
        if desk.watchdog.draining:
            hand_over([reply_id])  # this process is draining, so another one must run the job
        else:
            write_reply(reply_id, desk)
        reach("before_ack")

    spare_the_collector()
    return broker


def require_real_sockets() -> None:
    """Raises RuntimeError if eventlet has replaced the sockets. Each thread would then hang silently at boot."""
    if socket.socket.__module__ != "socket":
        raise RuntimeError("A worker needs the system's own sockets, but eventlet has patched them.")
