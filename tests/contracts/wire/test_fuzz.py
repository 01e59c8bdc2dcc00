"""Schemathesis sends what the document allows and what it forbids. The API answers both as the document says.

A fuzzer of a document finds what no list of inputs has. It runs all its checks and all its phases, also the stateful
one, in which it goes on with the ids of earlier answers.
"""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest

from tests.e2e.person import Person
from tests.environment import environment
from tests.eventually import eventually, patience
from tests.services.guard import Guard
from tests.services.programs import ROOT, Programs
from tests.services.redis import RedisServer
from tests.services.sqlite import SqliteDatabases

HERE = Path(__file__).parent
SCHEMATHESIS = Path(sys.executable).with_name("schemathesis")


@pytest.fixture
def offline(guard: Guard, sqlite_databases: SqliteDatabases, redis_server: RedisServer) -> Iterator[dict[str, str]]:
    """The environment of programs with the offline model, room for every reply, and credits for all."""
    redis_server.empty()
    with sqlite_databases.fresh() as database_url:
        found = environment(database_url, redis_server.url, guard.folder / "fuzzed", "http://127.0.0.1:1")
        room = {"HOLDFAST_MAX_WAITING_REPLIES": "10000", "HOLDFAST_SIGNUP_CREDITS": "1000000"}
        yield {name: value for name, value in found.items() if name not in ("OPENAI_API_KEY", "MODEL")} | room


def fuzz(url: str, folder: Path, *options: str) -> tuple[int, str]:
    """The number of cases that were sent, and the report."""
    with Person(url) as person:
        told = {"HOLDFAST_TOKEN": person.token, "SCHEMATHESIS_HOOKS": "tests.contracts.wire.fuzz_hooks"}
        command = [
            SCHEMATHESIS,
            "--config-file",
            HERE / "schemathesis.toml",
            "--no-color",
            "run",
            f"{url}/openapi.json",
        ]
        done = subprocess.run(
            [*command, "--checks=all", "--continue-on-failure", *options],
            cwd=folder,
            env=os.environ | told | {"PYTHONPATH": str(ROOT)},
            capture_output=True,
            text=True,
            check=False,
        )
        person.get("/me")  # the fuzzer has not deleted its own account, or signed it out
    report = done.stdout + done.stderr
    assert done.returncode == 0, report
    cases = re.search(r"(\d+) generated", report)
    assert cases, report
    return int(cases[1]), report


def test_a_fuzzer_finds_nothing(guard: Guard, offline: dict[str, str], tmp_path: Path) -> None:
    programs = Programs(guard, "fuzzed", offline)
    with programs["web"]:  # no test of a reply, so nobody needs to write one
        eventually(lambda: healthy(programs.url), within=30)
        cases, report = fuzz(programs.url, tmp_path, "--max-examples=4", "--seed=1")  # the same cases in each run
    assert cases > 500
    assert "Stateful" in report


@pytest.mark.long
def test_a_fuzzer_finds_nothing_in_10000_cases(guard: Guard, offline: dict[str, str], tmp_path: Path) -> None:
    lasting = {"HOLDFAST_ACCESS_TOKEN_SECONDS": "86400"}
    with Programs(guard, "fuzzed", offline | lasting) as programs:
        cases, report = fuzz(programs.url, tmp_path, "--max-examples=350")
    print(report[-2000:])
    assert cases >= 10_000


def healthy(url: str) -> bool:
    try:
        return httpx2.get(f"{url}/healthz", timeout=patience(2)).status_code == 200
    except httpx2.TransportError:
        return False
