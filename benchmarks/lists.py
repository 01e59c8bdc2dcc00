"""`python -m benchmarks.lists`: the lists of a user with a long past, beside those of a short one. See README.md."""

import os
import statistics
import time
from collections import deque
from collections.abc import Callable
from contextlib import ExitStack
from functools import partial

from flask.testing import FlaskClient

from benchmarks.lab.past import DOCUMENT, REPO, TEAM, Past, chat_id, client_of, message_id
from benchmarks.lab.systems import run_folder
from shared.wire.cursors import encode_cursor

SHORT, LONG = Past(chats=10, messages=100), Past(chats=10_000, messages=100_000)
CALLS, WARM_UP = 200, 20  # calls of each kind and past, which take turns
WAITING = 3  # replies that wait while the queue is read
PAGE = 5  # chats of a page, because the short past has no more of either kind

Call = Callable[[], float]
_CHAT = f"/chats/{chat_id(1)}"
_MESSAGES = f"{_CHAT}/messages"
_SORTS = ("lastActiveAt", "updatedAt", "createdAt")
_FILTERS = {
    "": "",
    ", archived": "&archived=true",
    ", of a team": f"&teamId={TEAM}",
    ", archived, of a team": f"&archived=true&teamId={TEAM}",
    ", of a repository": f"&repoId={REPO}",
    ", archived, of a document": f"&archived=true&documentId={DOCUMENT}",
    ", with a text": "&text=title",
    ", without the text": "&text=nowhere",
}


def main() -> None:
    """Fill both databases with both pasts, ask in turns, and print one table for each database."""
    pasts = (f"{past.chats:,} chats, {past.messages:,} messages in one" for past in (SHORT, LONG))
    print(f"{'; '.join(pasts)}; p50 / p95 of {CALLS} calls, ms")
    for database in ("sqlite", "postgresql"):
        print(f"\n{database:40} | short         | long          | ratio of p50")
        with ExitStack() as stack:
            folder = stack.enter_context(run_folder())
            short, long = (
                _calls(stack.enter_context(client_of(past, database, folder / str(past.chats))), past)
                for past in (SHORT, LONG)
            )
            for name, call in short.items():
                _print(name, _measure([call, long[name]]))
    print(f"\nload average {os.getloadavg()[0]:.0f} on {os.cpu_count()} cores")


def _calls(client: FlaskClient, past: Past) -> dict[str, Call]:
    """Each call by its name. It returns the seconds that it took."""
    middle = past.messages // 2
    paths = {
        "messages, newest": f"{_MESSAGES}?order=desc",
        "messages, from the middle on": f"{_MESSAGES}?cursor={encode_cursor([middle], [int])}",
        "messages, around one": f"{_MESSAGES}?around={message_id(middle)}",
        "one message": f"{_MESSAGES}/{message_id(middle)}",
        "versions": f"{_MESSAGES}/{message_id(past.messages)}/versions",
        "one chat": _CHAT,
    }
    paths |= {
        f"chats by {sort}{name}": f"/chats?limit={PAGE}&sort={sort}{query}"
        for name, query in _FILTERS.items()
        for sort in _SORTS
    }
    paths |= {"sync, everything": "/sync?after=0&limit=50", "sync, the newest": f"/sync?after={past.last_seq - 20}"}
    waiting = deque[str]()
    return {name: partial(_get, client, path) for name, path in paths.items()} | {
        "posting": partial(_post, client, waiting),
        "queue": partial(_get, client, f"{_CHAT}/queue"),
        "the place of a reply": lambda: _get(client, f"{_MESSAGES}/{waiting[-1]}"),
    }


def _get(client: FlaskClient, path: str) -> float:
    began = time.perf_counter()
    answer = client.get(path)
    taken = time.perf_counter() - began
    assert answer.status_code == 200, answer.text
    return taken


def _post(client: FlaskClient, waiting: deque[str]) -> float:
    """Post, then take the oldest reply back, so that no more than a few wait."""
    began = time.perf_counter()
    answer = client.post(_MESSAGES, json={"content": "What else was said?"})
    taken = time.perf_counter() - began
    assert answer.status_code == 202, answer.text
    waiting.append(answer.json["reply"]["id"])
    if len(waiting) > WAITING:
        client.post(f"{_MESSAGES}/{waiting.popleft()}/stop")
    return taken


def _measure(calls: list[Call]) -> list[list[float]]:
    """The milliseconds of both calls, which take turns."""
    taken: list[list[float]] = [[] for _ in calls]
    for number in range(-WARM_UP, CALLS):
        for call, times in zip(calls, taken, strict=True):
            seconds = call()
            if number >= 0:
                times.append(1000 * seconds)
    return taken


def _print(name: str, taken: list[list[float]]) -> None:
    short, long = (statistics.median(times) for times in taken)
    figures = " | ".join(f"{_figures(times):13}" for times in taken)
    print(f"{name:40} | {figures} | {long / short:.2f}", flush=True)


def _figures(times: list[float]) -> str:
    return f"{statistics.median(times):.1f} / {statistics.quantiles(times, n=20)[18]:.1f}"


if __name__ == "__main__":
    main()
