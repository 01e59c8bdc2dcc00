"""A program of the nursery is like one that `python -m` starts: its own group, output, environment and exit code."""

import json
import os
import signal
import sys
from pathlib import Path

import pytest

from tests.eventually import ended, eventually
from tests.services.guard import Guard
from tests.services.service import Service

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="elsewhere, each program starts by itself")

TELLER = """
import json, os, sys, time, openai
print(json.dumps({"variables": sorted(os.environ), "words": sys.argv, "group": os.getpgrp(), "name": __name__}))
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


def test_a_dead_program_keeps_its_number_until_it_is_buried(teller: Service) -> None:
    teller.start(FOR="600")
    process = teller._process
    assert teller.alive
    os.killpg(process.pid, signal.SIGKILL)  # the group is there as soon as the start has returned
    assert ended(process) == -signal.SIGKILL
    os.kill(process.pid, 0)
    teller.kill()
    assert eventually(lambda: not Path(f"/proc/{process.pid}").exists())
