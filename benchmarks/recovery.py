"""`python -m benchmarks.recovery`: how long twenty running replies take to be final after a fault, at default settings.

README.md says more. The programs run with PostgreSQL and Redis, under `holdfast up`, which restarts dead programs.
"""

import os
import signal
import sys
import time
import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from typing import Any, NamedTuple

import requests

from benchmarks.lab.limits import NO_LIMITS
from benchmarks.lab.model import Plan
from benchmarks.lab.processes import BOTH_CORES, Processes, free_port
from benchmarks.lab.systems import ROOT, run_folder, start_model, start_postgres
from shared.command.embedded_redis import EmbeddedRedis

REPLIES = 20
PLAN = Plan(chunks=100, first=500, every=100)
INTO = 3.0  # seconds from the start of the replies to the fault
FROZEN = 15.0  # seconds
PATIENCE = 180.0  # seconds after which an unfinished reply counts as lost
POLL = 0.1


class Stand:
    """Holdfast at default settings, with its PostgreSQL and Redis."""

    def __init__(self, folder: Path, model_url: str, up: str = f"{sys.executable} -m shared.command.cli up") -> None:
        folder.mkdir()
        self.processes = Processes(folder, cores=BOTH_CORES)
        self.redis = EmbeddedRedis(folder / "redis")
        self.url = f"http://127.0.0.1:{free_port()}"
        database = start_postgres(self.processes)
        self.processes.start("redis", self.redis.command)
        self.processes.start(
            "holdfast",
            up,
            HOLDFAST_ENV="test",
            HOLDFAST_DATA_DIR=str(folder / "var"),
            HOLDFAST_LOG_LEVEL="WARNING",
            **NO_LIMITS,
            DATABASE_URL=database,
            REDIS_URL=self.redis.url,
            PORT=self.url.rpartition(":")[2],
            REALTIME_PORT=str(free_port()),
            OPENAI_API_KEY="bench",
            OPENAI_BASE_URL=model_url,
            MODEL="bench",
            PYTHONPATH=str(ROOT),
        )
        self.processes.await_url(f"{self.url}/healthz")

    def kill_worker(self) -> None:
        """Kill the process that writes the replies, not its master."""
        programs = self.processes.roots["holdfast"].children(recursive=True)
        masters = [program for program in programs if program.cmdline()[1:3] == ["-m", "workers"]]
        writers = [child for master in masters for child in master.children(recursive=True)]
        max(writers, key=lambda child: child.memory_info().rss).kill()

    def restart_redis(self) -> None:
        redis = self.processes.roots["redis"]
        redis.send_signal(signal.SIGKILL)
        redis.wait()
        self.processes.start("redis", self.redis.command)

    def empty_redis(self) -> None:
        self.redis._ask("FLUSHALL")

    def freeze_redis(self) -> None:
        redis = self.processes.roots["redis"]
        redis.suspend()
        time.sleep(FROZEN)
        redis.resume()


class Asked(NamedTuple):
    """One reply of one user."""

    url: str
    bearer: dict[str, str]

    def now(self) -> dict[str, Any]:
        answer = requests.get(self.url, headers=self.bearer, timeout=10)
        return dict(answer.json())


def main() -> None:
    with ExitStack() as stack:
        folder = stack.enter_context(run_folder())
        model = Processes(folder, cores=BOTH_CORES)
        stack.callback(model.stop)
        stand = Stand(folder / "ours", start_model(model, free_port()))
        stack.callback(stand.processes.stop)
        print(f"{REPLIES} replies of {PLAN.seconds:.1f} s each; the fault comes after {INTO:g} s of them\n")
        _line("fault", "last final after", "lost", "run again", "failed")
        faults: list[tuple[str, Callable[[], None]]] = [
            ("none", lambda: None),
            ("kill -9 of the worker", stand.kill_worker),
            ("kill -9 of Redis, started again", stand.restart_redis),
            ("Redis emptied", stand.empty_redis),
            (f"Redis frozen for {FROZEN:g} s", stand.freeze_redis),
        ]
        with ThreadPoolExecutor(REPLIES) as people:
            for name, fault in faults:
                _measure(name, fault, stand.url, people)


def _measure(name: str, fault: Callable[[], None], url: str, people: ThreadPoolExecutor) -> None:
    chats = [open_chat(url) for _ in range(REPLIES)]  # the API refuses many sign-ups at once
    asked = list(people.map(_ask, *zip(*chats, strict=True)))
    list(people.map(_until_it_has_text, asked))
    time.sleep(INTO)
    began = time.monotonic()
    fault()
    final = list(people.map(_until_final, asked))
    ended = [reply for reply in final if reply]
    _line(
        name,
        f"{time.monotonic() - began:.1f} s",
        str(len(final) - len(ended)),
        str(sum(reply["attempt"] > 1 for reply in ended)),
        str(sum(reply["status"] != "completed" for reply in ended)),
    )


def open_chat(url: str) -> tuple[str, dict[str, str]]:
    """Make a new user with a chat. Returns the address of its messages, and the headers to send."""
    who = {"email": f"{uuid.uuid4()}@example.com", "password": "correct horse battery"}
    session = requests.post(f"{url}/auth/sign-up", json=who, timeout=60).json()
    bearer = {"Authorization": f"Bearer {session['accessToken']}"}
    chat = requests.post(f"{url}/chats", json={}, headers=bearer, timeout=10).json()
    return f"{url}/chats/{chat['id']}/messages", bearer


def _ask(messages: str, bearer: dict[str, str]) -> Asked:
    posted = requests.post(messages, json={"content": str(PLAN)}, headers=bearer, timeout=10).json()
    return Asked(f"{messages}/{posted['reply']['id']}", bearer)


def _until_it_has_text(asked: Asked) -> None:
    while not asked.now()["content"]:
        time.sleep(POLL)


def _until_final(asked: Asked) -> dict[str, Any] | None:
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        reply = asked.now()
        if reply["status"] in ("completed", "failed", "cancelled"):
            return reply
        time.sleep(POLL)
    return None


def _line(*cells: str) -> None:
    print(" | ".join(cell.ljust(width) for cell, width in zip(cells, (32, 16, 5, 9, 7), strict=True)), flush=True)


if __name__ == "__main__":
    os.chdir(ROOT)
    main()
