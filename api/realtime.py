"""The socket server: checks tokens, and tells each user's open tabs what the event channel says.

The only module that knows eventlet; its parts are in `api/sockets/`. It never touches the database: under eventlet
one waiting query would freeze every socket. Run as many as you like: `python -m api.realtime`.
"""

import warnings

warnings.filterwarnings("ignore", message=r"\s*Eventlet is deprecated")
import eventlet  # noqa: E402

eventlet.monkey_patch()  # before anything else is imported, or its locks and sockets would block

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

# Seconds between two looks at tokens that have ended and connections that never showed one.
_LOOK = 1.0
# Seconds between two readings of what was revoked; with the time until it stands there, under 5.
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
        # At once: it holds nothing that could be lost. An exception would end whichever green thread runs just now,
        # or be swallowed there, or wait for every client to say goodbye.
        signal.signal(number, lambda *_: os._exit(0))
    most = most_sockets(settings)
    pool = eventlet.GreenPool(most + SPARE)
    door = Door(listener, settings.socket_auth_seconds, pool.free)
    serve(settings, door, pool, most)
    return 0


def serve(settings: Settings, door: Door, pool: eventlet.GreenPool, most: int) -> None:
    """Put the parts together, and answer."""
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
    """Again and again, whatever goes wrong."""
    while True:
        try:
            step()
        except Exception:
            log.exception("realtime.failed")
        time.sleep(seconds)


def look_around(server: Server, door: Door, presence: Presence) -> None:
    """End the sockets whose tokens have ended, and the connections that never showed one."""
    for sid in presence.expired():
        end(server, sid, TokenExpired)
    door.reap()


def read_what_was_revoked(server: Server, link: RedisLink, presence: Presence) -> None:
    """End the sockets whose tokens are void before their time. While Redis is away, the last reading counts."""
    for sid in presence.revoke(read_revocations(link) or {}):
        end(server, sid, Unauthenticated)


if __name__ == "__main__":
    sys.exit(main())
