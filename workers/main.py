"""What a worker process loads: broker, middleware, the actor, and the two threads that serve all its replies."""

import socket

import dramatiq
from dramatiq.middleware import Retries, TimeLimit

from shared.core import create_core, current_link, spare_the_collector
from shared.failpoints import reach
from shared.queues import REPLIES, WRITE_REPLY, worker_broker
from shared.settings import load_settings
from workers.middleware import AppContextMiddleware
from workers.providers import create_provider
from workers.relay import Relay
from workers.reply import Desk, write_reply
from workers.watchdog import Watchdog

# Milliseconds past every deadline of ours; Dramatiq's own limit only catches what all of those missed.
_MARGIN_MS = 60_000


def create_worker() -> dramatiq.Broker:
    """Set up this process; Dramatiq's command line calls it once in each."""
    # A patched socket would make every thread of this process hang without a word.
    assert socket.socket.__module__ == "socket", "eventlet must not be loaded in a worker"
    settings = load_settings()
    core = create_core(settings)
    with core.app_context():
        relay = Relay(current_link())
    desk = Desk(create_provider(settings), relay, Watchdog(core, settings))
    desk.relay.start()
    desk.watchdog.start()

    broker = worker_broker(settings, [TimeLimit(), Retries(max_retries=0), AppContextMiddleware(core)])
    dramatiq.set_broker(broker)
    limit_ms = int(settings.reply_timeout * 1000) + _MARGIN_MS

    @dramatiq.actor(actor_name=WRITE_REPLY, queue_name=REPLIES, time_limit=limit_ms, broker=broker)
    def write(reply_id: str) -> None:
        write_reply(reply_id, desk)
        reach("before_ack")

    spare_the_collector()
    return broker
