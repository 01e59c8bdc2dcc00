"""The socket server. It checks tokens, and passes the events of the channel on to each user's open tabs.

No other module imports eventlet. The parts of the server are in `api/sockets/`. The server never touches the database:
under eventlet, one waiting query would freeze every socket. Any number of these processes may run:
`python -m api.realtime`.
"""

import warnings

warnings.filterwarnings("ignore", message=r"\s*Eventlet is deprecated")
import eventlet  # noqa: E402

eventlet.monkey_patch()  # before any other import: a lock or socket made earlier would block all green threads

import contextlib  # noqa: E402
import logging  # noqa: E402
import os  # noqa: E402
import signal  # noqa: E402
import sys  # noqa: E402
import time  # noqa: E402
from collections.abc import Callable  # noqa: E402

import eventlet.wsgi  # noqa: E402

from api.sockets.clocks import Clocks  # noqa: E402
from api.sockets.door import SPARE, Door, most_sockets, open_port  # noqa: E402
from api.sockets.ear import Ear  # noqa: E402
from api.sockets.frames import Upgrade  # noqa: E402
from api.sockets.handlers import Handlers  # noqa: E402
from api.sockets.http import wsgi_app  # noqa: E402
from api.sockets.presence import Presence  # noqa: E402
from api.sockets.pulse import Pulse  # noqa: E402
from api.sockets.server import Server, create_server, end  # noqa: E402
from api.sockets.strangers import Strangers  # noqa: E402
from api.sockets.tally import TALLY, Nowhere, Output  # noqa: E402
from shared.boot import boot, spare_the_collector  # noqa: E402
from shared.errors.requests import TokenExpired, Unauthenticated  # noqa: E402
from shared.redis.link import RedisLink  # noqa: E402
from shared.redis.revocations import read_revocations  # noqa: E402
from shared.settings import Settings, SettingsError  # noqa: E402

log = logging.getLogger("realtime")

# Seconds between two checks for expired tokens, for connections that never showed a token, and for due pings.
_LOOK = 1.0
# Seconds between two readings of the revocations. With the time until they reach Redis, a socket ends within 5 s.
_READ = 2.0
# Characters of the first line of a request, with its path and its query. A client needs about 60.
_LONGEST_LINE = 2048
_REFUSED = b"HTTP/1.1 %d Refused\r\nX-Content-Type-Options: nosniff\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"


def main() -> int:
    """Serve until SIGTERM or SIGINT."""
    settings = boot("realtime")
    try:
        most, listener = most_sockets(settings), open_port(settings)
    except SettingsError as error:
        print(f"realtime: {error}", file=sys.stderr)
        return 1
    for number in (signal.SIGTERM, signal.SIGINT):
        # The process ends at once, because it holds nothing that could be lost. An exception would reach the green
        # thread that runs just now. It might be swallowed there, or wait for every client to close.
        signal.signal(number, lambda *_: os._exit(0))
    pool = eventlet.GreenPool(most + SPARE)
    strangers = Strangers(settings.socket_auth_seconds, settings.max_strangers)
    spare_the_collector()
    with contextlib.redirect_stderr(Output()):
        serve(settings, Door(listener, strangers, pool.free), strangers, pool, most)
    return 0


def serve(settings: Settings, door: Door, strangers: Strangers, pool: eventlet.GreenPool, most: int) -> None:
    """Build the server from its parts, and serve until the process ends."""
    link, presence = RedisLink(settings.redis_url, settings.namespace), Presence(settings.access_token_seconds)
    server, pulse = create_server(settings, Upgrade, strangers), Pulse(link, settings.self_check_seconds)
    clocks = Clocks()
    Handlers(settings, most, strangers, presence, clocks).join(server)
    ear = Ear(server, link, pulse)
    eventlet.spawn(ear.listen)
    eventlet.spawn(pulse.beat, ear.cut)
    eventlet.spawn(every, _LOOK, lambda: look_around(server, strangers, presence))
    eventlet.spawn(every, _LOOK, server.ping)
    eventlet.spawn(every, _READ, lambda: read_what_was_revoked(server, link, presence))
    eventlet.wsgi.server(
        door,
        wsgi_app(server, pulse, clocks, lambda: len(presence) >= most),
        custom_pool=pool,
        protocol=Requests,
        keepalive=False,
        socket_timeout=settings.socket_auth_seconds,
        url_length_limit=_LONGEST_LINE,
        log_output=False,
        environ={"wsgi.errors": Nowhere()},  # the library writes a line for each socket that it closes twice
        debug=False,  # else the answer to a client would have the stack trace of an error
    )


class Requests(eventlet.wsgi.HttpProtocol):
    """The library's parser of requests. It would print and send back what a client sent, perhaps with a token."""

    def send_error(self, code: int, *_: object) -> None:
        """Refuse an unreadable request."""
        TALLY.note("bad_request", "unreadable; the server refused it")
        self.wfile.write(_REFUSED % code)

    def finish(self) -> None:
        """End the connection. It takes no place among the strangers any more."""
        self.server.socket.forget(self.connection)
        super().finish()


def every(seconds: float, step: Callable[[], None]) -> None:
    """Run the step for ever. A failure is logged, and the next run comes all the same."""
    while True:
        try:
            step()
        except Exception:
            log.exception("realtime.failed: a periodic check failed; it runs again in %g s", seconds)
        time.sleep(seconds)


def look_around(server: Server, strangers: Strangers, presence: Presence) -> None:
    """End the sockets with an expired token, and the connections that never showed a token."""
    strangers.reap()
    for sid in presence.expired():
        end(server, sid, TokenExpired)
        time.sleep(0)  # thousands may end in one second; meanwhile other green threads run


def read_what_was_revoked(server: Server, link: RedisLink, presence: Presence) -> None:
    """End the sockets with a revoked token. While Redis is away, this process goes on with its last reading."""
    for sid in presence.revoke(read_revocations(link) or {}):
        end(server, sid, Unauthenticated)
        time.sleep(0)


if __name__ == "__main__":
    sys.exit(main())
