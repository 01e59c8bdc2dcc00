"""`holdfast up`: prepares the database and Redis, then supervises every line of the Procfile.

Migration and demo user run in processes of their own, because they take much memory. This process stays for the run.
"""

import json
import os
import socket
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from click import ClickException, echo

from shared.command.data_folder import kept_secret, only_run_in
from shared.command.embedded_redis import EmbeddedRedis
from shared.command.supervisor import Supervisor
from shared.network.addresses import in_url, local
from shared.network.listening import listen
from shared.settings import Settings, SettingsError

# Seconds that a program may take to exit once its work has drained.
EXIT_SECONDS = 5.0


def up(settings: Settings) -> None:
    """Run Holdfast in the current folder until it is told to stop."""
    commands = read_procfile(Path("Procfile"))
    with only_run_in(settings.data_dir):
        _require_free_ports(settings)
        redis = None if settings.redis_url else EmbeddedRedis(settings.data_dir / "redis")
        environment = _environment(settings, redis)
        echo("Preparing the database")
        _holdfast("migrate", environment)
        sign_in = json.loads(_holdfast("demo", environment)) if settings.env == "development" else None
        echo("Starting the programs")
        with Supervisor(environment, settings.drain_seconds + EXIT_SECONDS) as supervisor:
            if redis:
                redis.end_leftover()
                supervisor.start({"redis": redis.command})
                redis.wait_until_ready(supervisor.stopping)
            supervisor.start(commands)
            _announce(settings, sign_in, supervisor)
            supervisor.stopping.wait()
            supervisor.say("stopping; Ctrl-C once more stops at once")


def read_procfile(path: Path) -> dict[str, str]:
    """The name and the shell command of each program."""
    if not path.exists():
        raise ClickException("There is no Procfile here: run this in Holdfast's own folder.")
    lines = [line for line in path.read_text().splitlines() if line.strip() and not line.startswith("#")]
    return {name.strip(): command.strip() for name, command in (line.split(":", 1) for line in lines)}


def _require_free_ports(settings: Settings) -> None:
    if settings.port == settings.realtime_port:
        raise ClickException(f"PORT and REALTIME_PORT are both {settings.port}: give one of them another number.")
    for name, port in (("PORT", settings.port), ("REALTIME_PORT", settings.realtime_port)):
        try:
            listen(settings.host, port, name).close()
        except SettingsError as error:
            raise ClickException(str(error)) from error


def _environment(settings: Settings, redis: EmbeddedRedis | None) -> dict[str, str]:
    """The environment of the programs: that of this process, these variables, and this Python's tools first on PATH."""
    tools = str(Path(sys.executable).parent)
    return os.environ | {
        "PATH": os.pathsep.join([tools, os.environ.get("PATH", os.defpath)]),
        "PYTHONUNBUFFERED": "1",
        "MALLOC_ARENA_MAX": "2",  # otherwise each thread would keep megabytes for itself
        "HOLDFAST_DATA_DIR": str(settings.data_dir),
        "DATABASE_URL": settings.database_url,
        "REDIS_URL": redis.url if redis else settings.redis_url,
        "SECRET_KEY": settings.secret_key or kept_secret(settings.data_dir / "secret-key", size=32),
    }


def _holdfast(command: str, environment: Mapping[str, str]) -> str:
    """Run another `holdfast` command to its end. Returns its output."""
    call = [sys.executable, "-m", "shared.command.cli", command]
    done = subprocess.run(call, env=environment, stdout=subprocess.PIPE, text=True, check=False)
    if done.returncode:
        raise ClickException(f"`holdfast {command}` failed; its message above says why.")
    return done.stdout


def _announce(settings: Settings, sign_in: dict[str, str] | None, supervisor: Supervisor) -> None:
    """Wait until the page and the socket server answer, then print the address."""
    host = local(settings.host)
    while not (_answers(host, settings.port) and _answers(host, settings.realtime_port)):
        if supervisor.stopping.wait(0.1):
            return
    supervisor.say(f"ready: open {_address_to_open(settings, host)}")
    if sign_in:
        supervisor.say(f"sign in as {sign_in['email']} with the password {sign_in['password']}")


def _address_to_open(settings: Settings, host: str) -> str:
    if settings.public_url:
        return settings.public_url
    elsewhere = "" if host == settings.host else f", or port {settings.port} of any other address of this machine"
    return f"http://{in_url(host)}:{settings.port}{elsewhere}"


def _answers(host: str, port: int) -> bool:
    # this uses a bare socket, because http.client would load megabytes of TLS for one request
    try:
        with socket.create_connection((host, port), timeout=1.0) as connection:
            connection.sendall(b"GET /healthz HTTP/1.0\r\n\r\n")
            return b" 200 " in connection.makefile("rb").read()
    except OSError:
        return False
