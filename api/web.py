"""The REST API and the page's files, served over HTTP: `python -m api.web`. The server's parts are in `api/serving/`.

With HOLDFAST_WEB_WORKERS above 1, this process only starts the others, and starts one again that died.
"""

import logging
import os
import signal
import socket
import sys
from contextlib import suppress
from functools import partial

import uvicorn
from uvicorn.supervisors import Multiprocess

from api.access import tokens
from api.access.address import known_address
from api.app import MAX_BODY, create_app
from api.serving.crowd import Crowd, Limits
from api.serving.listener import AT_ONCE, Listener
from api.serving.wsgi import Whole
from shared.boot import boot, spare_the_collector
from shared.core import current_settings
from shared.errors.requests import Unauthenticated
from shared.network.listening import listen
from shared.network.open_files import room_for
from shared.settings import Settings, SettingsError

log = logging.getLogger("web")

# Connections that may wait until the server accepts them. After a restart, all clients come at once.
_BACKLOG = 2048
# Bytes that the kernel may hold for a client that does not read. By default they grow to megabytes.
_SEND_BUFFER = 256 * 1024
# Open files that are no client's connection: the log and libraries; for each thread the two connections to Redis, of
# the core and of the limits, the database, and a page's file.
_OTHER_FILES, _FILES_OF_A_THREAD = 100, 4
# Seconds between two checks that the process that started this one still lives.
_LOOK = 1
# Seconds that a process may take to start, or to answer the first one. A busy machine takes more than uvicorn's 5.
_START = 30


def main() -> int:
    """Serve until SIGTERM or SIGINT. Each request that has come by then is answered, within HOLDFAST_DRAIN_SECONDS."""
    settings = boot("web")
    try:
        config, listener = _config(settings), _open_port(settings)
    except SettingsError as error:
        print(f"web: {error}", file=sys.stderr)
        return 1
    if settings.web_workers > 1:
        _Processes(config, [listener]).run()
        return 0
    server = uvicorn.Server(config)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, server.handle_exit)  # uvicorn repeats the signal at its end; this process ends with 0
    server.run([listener])
    return 0


class _Processes(Multiprocess):
    """The processes that serve. At a drain, no further client may wait for an answer that never comes."""

    def terminate_all(self) -> None:
        """Close the port in this process too, then end the others."""
        for listener in self.sockets:
            listener.close()
        super().terminate_all()


def _open_port(settings: Settings) -> socket.socket:
    """The listening socket. Each accepted connection inherits these options."""
    listener = Listener.of(listen(settings.host, settings.port, "PORT", backlog=_BACKLOG))
    # uvicorn sends head and body apart. Without this, a client's system lets the body wait for 40 ms.
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _SEND_BUFFER)
    return listener


def application() -> Whole:
    """The app for uvicorn, made once in each process."""
    app = create_app()
    with app.app_context():
        settings = current_settings()
    logging.getLogger("uvicorn.error").setLevel(logging.ERROR)  # else any client can fill the log with its mistakes
    spare_the_collector()
    log.info("web.started: this process takes requests with %d threads", settings.web_threads)
    return Whole(app, settings.web_threads, partial(_caller, settings))


def _caller(settings: Settings, environ: dict[str, str]) -> str:
    """The user of a token that we signed, or else the client's address. Anything else a client could choose freely."""
    _scheme, _, token = environ.get("HTTP_AUTHORIZATION", "").partition(" ")
    with suppress(Unauthenticated):
        return tokens.read(settings.secret_key, tokens.ACCESS, token).user_id
    return known_address(environ.get("HTTP_X_FORWARDED_FOR", ""), environ["REMOTE_ADDR"], settings.trusted_proxies)


def _config(settings: Settings) -> uvicorn.Config:
    others = _OTHER_FILES + _FILES_OF_A_THREAD * settings.web_threads
    most = room_for(settings.web_connections, others, "HOLDFAST_WEB_CONNECTIONS")
    # behind a proxy all connections have its address
    per_address = most if settings.trusted_proxies else settings.web_connections_per_address
    limits = Limits(settings.client_seconds, MAX_BODY, most, per_address)
    return uvicorn.Config(
        "api.web:application",
        factory=True,
        workers=settings.web_workers,
        http=Crowd(limits),  # type: ignore[arg-type]  # uvicorn only calls it
        ws="none",
        loop="asyncio",
        lifespan="off",
        log_config=None,
        access_log=False,
        proxy_headers=False,
        server_header=False,
        backlog=AT_ONCE,
        timeout_keep_alive=int(settings.client_seconds) + 1,  # the crowd ends idle connections earlier
        timeout_graceful_shutdown=settings.drain_seconds,  # type: ignore[arg-type]  # uvicorn takes parts of a second
        timeout_notify=_LOOK,
        timeout_worker_healthcheck=_START,
        callback_notify=partial(_end_with, os.getpid()) if settings.web_workers > 1 else None,
    )


async def _end_with(parent: int) -> None:
    """End this process once the one that started it has died. Otherwise it would keep the port."""
    if os.getppid() != parent:
        signal.raise_signal(signal.SIGTERM)


if __name__ == "__main__":
    sys.exit(main())
