"""The socket server: checks tokens, and tells each user's open tabs what the event channel says.

The only module that knows eventlet and python-socketio, and it never touches the database: under eventlet one
waiting query would freeze every socket. Run as many as you like: `python -m api.realtime`.
"""

import warnings

warnings.filterwarnings("ignore", message=r"\s*Eventlet is deprecated")
import eventlet  # noqa: E402

eventlet.monkey_patch()  # before anything else is imported, or its locks and sockets would block

import logging  # noqa: E402
import signal  # noqa: E402
import socket  # noqa: E402
import sys  # noqa: E402
import time  # noqa: E402
from collections.abc import Iterable, Iterator  # noqa: E402
from functools import partial  # noqa: E402
from typing import Any  # noqa: E402

import eventlet.wsgi  # noqa: E402
import msgspec  # noqa: E402
import redis  # noqa: E402
import socketio  # noqa: E402
from redis.client import PubSub  # noqa: E402

from api import tokens  # noqa: E402
from shared.errors import HoldfastError  # noqa: E402
from shared.logs import configure_logs  # noqa: E402
from shared.redis_link import RedisLink, refuse_eviction  # noqa: E402
from shared.settings import Settings, SettingsError, load_settings  # noqa: E402

log = logging.getLogger("realtime")

# Bytes a client may send: nothing but a token.
_MAX_INBOUND = 64 * 1024
# Connections that may wait to be accepted, as after a restart.
_BACKLOG = 4096
# Seconds before the next try when Redis is away.
_RECONNECT = 0.5
# Seconds between the signs of life that this program sends itself through the channel, and how long it may hear
# nothing before it takes itself for deaf.
_PULSE, _DEAF = 5.0, 10.0


def create_server(settings: Settings) -> socketio.Server:
    """A Socket.IO server that lets in who has a valid access token, into the one room of that user."""
    server = socketio.Server(
        async_mode="eventlet",
        transports=["websocket"],  # polling would need sticky sessions behind several processes
        cors_allowed_origins=settings.allowed_origins,
        max_http_buffer_size=_MAX_INBOUND,
    )

    @server.event
    def connect(sid: str, _environ: dict[str, Any], auth: Any) -> None:
        server.enter_room(sid, room_of(_user_of(auth, settings.secret_key)))

    return server


def _user_of(auth: Any, secret: str) -> str:
    """Whose token it is. Any failure at all is a refusal: a crash here would leave the socket half let in."""
    try:
        return tokens.verify(secret, tokens.ACCESS, auth["token"]).user_id
    except HoldfastError as error:
        raise socketio.exceptions.ConnectionRefusedError(error.code) from error
    except Exception as error:
        raise socketio.exceptions.ConnectionRefusedError("unauthenticated") from error


def room_of(user_id: str) -> str:
    """The room of all of a user's open tabs. Nothing is ever sent outside of one."""
    return f"user:{user_id}"


class Ears:
    """When this program last heard anything on the channel: a listener can look healthy and be deaf."""

    def __init__(self) -> None:
        self.heard_at = time.monotonic()

    @property
    def deaf(self) -> bool:
        """Whether even its own signs of life don't arrive."""
        return time.monotonic() - self.heard_at > _DEAF


def send_pulse(link: RedisLink) -> None:
    """Put a sign of life on the channel, for nobody, for ever."""
    while True:
        with link.trip() as pipe:
            pipe.publish(link.channel, b"[]")
        eventlet.sleep(_PULSE)


def listen(server: socketio.Server, link: RedisLink, ears: Ears) -> None:
    """Pass on what the channel says, for ever; after a gap, tell everybody to ask what they missed."""
    missed = False
    while True:
        try:
            with link.subscriber() as subscription:
                subscription.subscribe(link.channel)
                if missed:
                    deliver(server, [(user, "resync", {}) for user in _present_users(server)])
                missed = True
                for message in _messages(subscription):
                    ears.heard_at = time.monotonic()
                    deliver(server, _decode(message["data"]))
        except redis.RedisError as error:
            log.warning("realtime.redis_away: %s", error)
        except Exception:  # a listener that ended here would leave every socket deaf
            log.exception("realtime.failed")
        eventlet.sleep(_RECONNECT)


def _messages(subscription: PubSub) -> Iterator[dict[str, Any]]:
    """Until the channel is silent for too long: then another connection may be better."""
    since = time.monotonic()
    while time.monotonic() - since < _DEAF:
        if message := subscription.get_message(timeout=_DEAF):
            since = time.monotonic()
            yield message
    log.warning("realtime.deaf: nothing heard for %d s, not even from itself", _DEAF)


def deliver(server: socketio.Server, events: Iterable[tuple[str, str, Any]]) -> None:
    """Send each (user id, name, data) to the tabs of that user that this process holds."""
    rooms = server.manager.rooms.get("/", {})
    for user_id, name, data in events:
        room = room_of(user_id)
        if room in rooms:
            server.emit(name, data, room=room)


_decoder = msgspec.json.Decoder(list[tuple[str, str, dict[str, Any]]])


def _decode(data: bytes) -> list[tuple[str, str, dict[str, Any]]]:
    try:
        return _decoder.decode(data)
    except msgspec.DecodeError:
        log.warning("realtime.unreadable: a message on the channel is not ours")
        return []


def _present_users(server: socketio.Server) -> list[str]:
    prefix = room_of("")
    return [room.removeprefix(prefix) for room in server.manager.rooms.get("/", {}) if room and room.startswith(prefix)]


def wsgi_app(server: socketio.Server, ears: Ears) -> Any:
    """Sockets, /healthz, and /readyz, which fails while nothing comes from the channel.

    Compression is refused: it costs 100 KB a socket and half of the sending.
    """
    app = socketio.WSGIApp(server, partial(_health, ears))

    def without_compression(environ: dict[str, Any], start_response: Any) -> Any:
        environ.pop("HTTP_SEC_WEBSOCKET_EXTENSIONS", None)
        return app(environ, start_response)

    return without_compression


def _health(ears: Ears, environ: dict[str, Any], start_response: Any) -> list[bytes]:
    fine = ("200 OK", b'{"status":"ok"}')
    deaf = ("503 Service Unavailable", b'{"status":"deaf"}')
    doors = {"/healthz": fine, "/readyz": deaf if ears.deaf else fine}
    status, body = doors.get(environ["PATH_INFO"], ("404 Not Found", b"{}"))
    start_response(status, [("Content-Type", "application/json")])
    return [body]


def main() -> int:
    """Serve until SIGTERM or SIGINT."""
    try:
        settings = load_settings()
        settings.require_services()
        refuse_eviction(settings)
    except SettingsError as error:
        print(f"realtime: {error}", file=sys.stderr)
        return 1
    configure_logs(settings.log_level)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: sys.exit(0))
    server = create_server(settings)
    link, ears = RedisLink(settings.redis_url, settings.namespace), Ears()
    eventlet.spawn(listen, server, link, ears)
    eventlet.spawn(send_pulse, link)
    listener = eventlet.listen(
        (settings.host, settings.realtime_port),
        backlog=_BACKLOG,
        reuse_port=settings.env == "production",  # else a second server would silently take half of the sockets
    )
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # accepted sockets inherit it
    eventlet.wsgi.server(listener, wsgi_app(server, ears), max_size=settings.max_sockets, log_output=False)
    return 0


if __name__ == "__main__":
    sys.exit(main())
