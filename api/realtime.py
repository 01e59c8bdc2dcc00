"""The socket server. It checks tokens, and passes the events of the channel on to each user's open tabs.

No other module imports eventlet. The parts of the server are in `api/sockets/`. The server never touches the database:
under eventlet, one waiting query would freeze every socket. Any number of these processes may run:
`python -m api.realtime`.
"""

import warnings

warnings.filterwarnings("ignore", message=r"\s*Eventlet is deprecated")
import eventlet  # noqa: E402

eventlet.monkey_patch()  # before any other import: a lock or socket made earlier would block all green threads

import logging  # noqa: E402
import os  # noqa: E402
import signal  # noqa: E402
import sys  # noqa: E402
import time  # noqa: E402
from collections.abc import Callable  # noqa: E402

import eventlet.wsgi  # noqa: E402

from api.sockets.door import SPARE, Door, most_sockets, open_port  # noqa: E402
from api.sockets.ear import Ear  # noqa: E402
from api.sockets.http import wsgi_app  # noqa: E402
from api.sockets.presence import Presence  # noqa: E402
from api.sockets.pulse import Pulse  # noqa: E402
from api.sockets.server import Server, create_server, end  # noqa: E402
from shared.boot import boot  # noqa: E402
from shared.errors.requests import TokenExpired, Unauthenticated  # noqa: E402
from shared.redis.link import RedisLink  # noqa: E402
from shared.redis.revocations import read_revocations  # noqa: E402
from shared.settings import Settings  # noqa: E402

log = logging.getLogger("realtime")

# Seconds between two checks for expired tokens, and for connections that never showed a token.
_LOOK = 1.0
# Seconds between two readings of the revocations. With the time until they reach Redis, a socket ends within 5 s.
_READ = 2.0


def main() -> int:
    """Serve until SIGTERM or SIGINT."""
    settings = boot("realtime")
    try:
        listener = open_port(settings)
    except OSError as error:
        print(f"realtime: port {settings.realtime_port}: {error.strerror}", file=sys.stderr)
        return 1
    for number in (signal.SIGTERM, signal.SIGINT):
        # The process ends at once, because it holds nothing that could be lost. An exception would reach the green
        # thread that runs just now. It might be swallowed there, or wait for every client to close.
        signal.signal(number, lambda *_: os._exit(0))
    most = most_sockets(settings)
    pool = eventlet.GreenPool(most + SPARE)
    door = Door(listener, settings.socket_auth_seconds, pool.free)
    serve(settings, door, pool, most)
    return 0


def serve(settings: Settings, door: Door, pool: eventlet.GreenPool, most: int) -> None:
    """Build the server from its parts, and serve until the process ends."""
    link, presence = RedisLink(settings.redis_url, settings.namespace), Presence(settings.access_token_seconds)
    server, pulse = create_server(settings, door, presence), Pulse(link, settings.self_check_seconds)
    ear = Ear(server, link, pulse)
    eventlet.spawn(ear.listen)
    eventlet.spawn(pulse.beat, ear.cut)
    eventlet.spawn(every, _LOOK, lambda: look_around(server, door, presence))
    eventlet.spawn(every, _READ, lambda: read_what_was_revoked(server, link, presence))
    app = wsgi_app(server, pulse, most)
    eventlet.wsgi.server(
        door, app, custom_pool=pool, keepalive=False, socket_timeout=settings.socket_auth_seconds, log_output=False
    )


def every(seconds: float, step: Callable[[], None]) -> None:
    """Run the step for ever. A failure is logged, and the next run comes all the same."""
    while True:
        try:
            step()
        except Exception:
            log.exception("realtime.failed: a periodic check failed; it runs again in %g s", seconds)
        time.sleep(seconds)


def look_around(server: Server, door: Door, presence: Presence) -> None:
    """End the sockets with an expired token, and the connections that never showed a token."""
    for sid in presence.expired():
        end(server, sid, TokenExpired)
    door.reap()


def read_what_was_revoked(server: Server, link: RedisLink, presence: Presence) -> None:
    """End the sockets with a revoked token. While Redis is away, this process goes on with its last reading."""
    for sid in presence.revoke(read_revocations(link) or {}):
        end(server, sid, Unauthenticated)


if __name__ == "__main__":
    sys.exit(main())
