"""`python -m benchmarks.poison`: the delay that a message causes others if its reply kills each worker, with defaults.

README.md says more. The programs run under `holdfast up`, with a worker that such a message can kill.
"""

import os
import sys
import threading
import time
from contextlib import ExitStack
from datetime import datetime
from pathlib import Path
from typing import Any

import requests

from benchmarks.lab.model import Plan
from benchmarks.lab.processes import BOTH_CORES, Processes, free_port
from benchmarks.lab.systems import ROOT, run_folder, start_model
from benchmarks.recovery import PATIENCE, POLL, Asked, Stand, open_chat

PEOPLE = 40
EVERY = 10.0  # seconds between two such messages
PLAN = Plan(chunks=20, first=200, every=100)
_POISONED = "python -m tests.faults.lab.poisoned"


def main() -> None:
    with ExitStack() as stack:
        folder = stack.enter_context(run_folder())
        model = Processes(folder, cores=BOTH_CORES)
        stack.callback(model.stop)
        stand = Stand(folder / "ours", start_model(model, free_port()), _up_with_poison(folder))
        stack.callback(stand.processes.stop)
        chats = [open_chat(stand.url) for _ in range(PEOPLE)]  # the API refuses many sign-ups at once
        print(f"{PEOPLE} people post every {EVERY:g} s for a reply of {PLAN.seconds:.1f} s\n")
        print("                     while  posted  answered by then  run again  longest")
        seconds = _measure("with poison", chats, _one_poison(stand.url))
        _measure("without", chats, lambda: time.sleep(seconds))


def _up_with_poison(folder: Path) -> str:
    """Run `holdfast up` in a folder. Its Procfile has a worker that the message can kill."""
    lines = (ROOT / "Procfile").read_text().replace("python -m workers\n", f"{_POISONED}\n")
    (folder / "Procfile").write_text(lines)
    return f"sh -c 'cd {folder} && exec {sys.executable} -m shared.command.cli up'"


def _one_poison(url: str) -> Any:
    messages, bearer = open_chat(url)

    def poison() -> None:
        body = {"content": f"poison {PLAN}"}
        posted = requests.post(messages, json=body, headers=bearer, timeout=10).json()
        asked = Asked(f"{messages}/{posted['reply']['id']}", bearer)
        deadline = time.monotonic() + PATIENCE
        while (reply := asked.now())["status"] != "failed" and time.monotonic() < deadline:
            time.sleep(POLL)
        assert reply["error"]["code"] == "worker_lost", reply

    return poison


def _measure(name: str, chats: list[tuple[str, dict[str, str]]], meanwhile: Any) -> float:
    """Make all users post while `meanwhile` lasts. Returns its seconds."""
    over, asked = threading.Event(), list[Asked]()
    threads = [threading.Thread(target=_post, args=(*chat, n / PEOPLE, over, asked)) for n, chat in enumerate(chats)]
    for thread in threads:
        thread.start()
    time.sleep(EVERY)  # until all replies have begun
    began = time.monotonic()
    meanwhile()
    seconds, end = time.monotonic() - began, time.time()
    over.set()
    for thread in threads:
        thread.join()
    replies = [_final(one) for one in asked]
    answered = sum(_stamp(reply["completedAt"]) <= end for reply in replies)
    again = sum(reply["attempt"] > 1 for reply in replies)
    longest = max(_stamp(reply["completedAt"]) - _stamp(reply["createdAt"]) for reply in replies)
    share = f"{answered} ({answered / len(replies):.0%})"
    print(f"{name:14}{seconds:10.1f} s{len(replies):8}{share:>18}{again:11}{longest:12.1f} s", flush=True)
    return seconds


def _post(messages: str, bearer: dict[str, str], late: float, over: threading.Event, asked: list[Asked]) -> None:
    over.wait(late * EVERY)
    while not over.is_set():
        posted = requests.post(messages, json={"content": str(PLAN)}, headers=bearer, timeout=10).json()
        asked.append(Asked(f"{messages}/{posted['reply']['id']}", bearer))
        over.wait(EVERY)


def _final(asked: Asked) -> dict[str, Any]:
    deadline = time.monotonic() + PATIENCE
    while (reply := asked.now())["status"] not in ("completed", "failed") and time.monotonic() < deadline:
        time.sleep(POLL)
    assert reply["status"] == "completed", reply
    return reply


def _stamp(moment: str) -> float:
    return datetime.fromisoformat(moment).timestamp()


if __name__ == "__main__":
    os.chdir(ROOT)
    main()
