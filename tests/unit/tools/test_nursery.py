"""A program of the nursery is like one that `python -m` starts: its own group, output, environment and exit code."""

import json
import os
import signal
import sys
from pathlib import Path

import pytest

from tests.eventually import ended, eventually
from tests.services.guard import Guard
from tests.services.service import Service, _forkable

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="elsewhere, each program starts by itself")

GREEN = """
import eventlet, time
from socket import socketpair
from eventlet.patcher import is_monkey_patched
eventlet.monkey_patch()
mine, theirs = socketpair()
eventlet.spawn(lambda: theirs.sendall(b"hello"))
print(mine.recv(5), all(map(is_monkey_patched, ("socket", "time", "thread"))), time.sleep(0.01))
"""

TELLER = """
import gc, json, os, sys, time, openai
print(json.dumps({"variables": sorted(os.environ), "words": sys.argv, "group": os.getpgrp(), "name": __name__,
    "frozen": gc.get_freeze_count()}))
time.sleep(float(os.environ.get("FOR", "0")))
sys.exit(7)
"""


@pytest.fixture
def teller(guard: Guard, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Service:
    (tmp_path / "teller.py").write_text(TELLER)
    monkeypatch.chdir(tmp_path)
    environment = {"PATH": os.environ["PATH"]}
    return Service(guard, tmp_path.name, "python -m teller a 'b c'", environment=environment)


def test_it_runs_as_a_program_of_its_own(teller: Service) -> None:
    teller.start(MORE="yes")
    process = teller._process
    assert ended(process) == 7
    told = json.loads(teller.log)
    assert {"MORE", "PATH"} <= set(told["variables"])
    assert "HOLDFAST_ENV" not in told["variables"]
    assert told["words"][1:] == ["a", "b c"]
    assert (told["group"], told["name"]) == (process.pid, "__main__")
    assert told["frozen"] == 0  # only a program that spares its collector has any


def test_a_dead_program_keeps_its_number_until_it_is_buried(teller: Service) -> None:
    teller.start(FOR="600")
    process = teller._process
    assert teller.alive
    os.killpg(process.pid, signal.SIGKILL)  # the group is there as soon as the start has returned
    assert ended(process) == -signal.SIGKILL
    os.kill(process.pid, 0)
    teller.kill()
    assert eventually(lambda: not Path(f"/proc/{process.pid}").exists())


def test_a_green_program_finds_its_sockets_replaced_and_has_a_hub_of_its_own(
    guard: Guard, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "green.py").write_text(GREEN)
    monkeypatch.chdir(tmp_path)
    environment = {"PATH": os.environ["PATH"]}
    service = Service(guard, tmp_path.name, "python -m green", environment=environment, green=True)
    service.start()
    assert (ended(service._process), service.log) == (0, "b'hello' True None\n")


def test_a_whole_deployment_starts_its_socket_server_as_a_user_does() -> None:
    assert _forkable("python -m api.realtime", green=False) == []
    assert _forkable("python -m api.realtime", green=True) == ["api.realtime"]
    assert _forkable("python -m api.web", green=False) == ["api.web"]
