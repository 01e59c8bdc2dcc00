"""Sets up a worker process: the broker, its middleware, the actor, and the threads that serve all replies."""

import socket
from dataclasses import replace

import dramatiq
from dramatiq.middleware import Retries, TimeLimit

from shared.boot import spare_the_collector
from shared.core import create_core
from shared.redis.broker import worker_broker
from shared.redis.queues import FURTHER, QUEUES, REPLIES, TITLES
from shared.settings import load_settings
from workers.alone.writer import AloneWriter
from workers.job import run_job, run_title
from workers.middleware import AppContextMiddleware, DrainMiddleware, PresenceMiddleware
from workers.presence import Presence
from workers.reply import create_desk

#: Milliseconds beyond the reply's deadline after which Dramatiq ends the thread. All our own limits are shorter.
MARGIN_MS = 60_000
# Dramatiq runs jobs of a lower number first. Those of replies have 0.
_LAST = 1


def create_worker() -> dramatiq.Broker:
    """Set up this process. Dramatiq's command line calls this once in each worker process."""
    require_real_sockets()
    settings = load_settings()
    core = create_core(settings)
    desk = create_desk(core, settings)
    desk = replace(desk, write_alone=AloneWriter(settings, desk.watchdog).write)

    broker = worker_broker(settings, [TimeLimit(), Retries(max_retries=0), AppContextMiddleware(core)])
    # The drain waits for all replies of the process. Before that, the process no longer counts as a worker.
    broker.add_middleware(PresenceMiddleware(Presence(core)))
    broker.add_middleware(DrainMiddleware(broker, desk.watchdog, settings.drain_seconds))
    dramatiq.set_broker(broker)
    limit_ms = int(settings.reply_timeout * 1000) + MARGIN_MS

    @dramatiq.actor(actor_name=QUEUES[REPLIES], queue_name=REPLIES, time_limit=limit_ms, broker=broker)
    def write(reply_id: str) -> None:
        run_job(reply_id, desk, broker.room)

    @dramatiq.actor(actor_name=QUEUES[FURTHER], queue_name=FURTHER, time_limit=limit_ms, broker=broker)
    def write_further(reply_id: str) -> None:
        run_job(reply_id, desk, broker.room, further=True)

    @dramatiq.actor(actor_name=QUEUES[TITLES], queue_name=TITLES, priority=_LAST, time_limit=limit_ms, broker=broker)
    def write_titles(chat_id: str) -> None:
        run_title(chat_id, desk, broker.room)

    spare_the_collector()
    return broker


def require_real_sockets() -> None:
    """Raises RuntimeError if eventlet has replaced the sockets. Each thread would then hang silently at boot."""
    if socket.socket.__module__ != "socket":
        raise RuntimeError("A worker needs the system's own sockets, but eventlet has patched them.")
