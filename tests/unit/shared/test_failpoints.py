"""Failpoints do nothing unless armed, do each of their actions, and are refused outside of tests."""

import fcntl
import multiprocessing
import os
import re
import signal
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor, wait
from pathlib import Path

import pytest

from shared import failpoints
from shared.failpoints import POINTS, FailpointReached, arm, reach
from shared.settings import SettingsError, load_settings
from tests.eventually import patience

SOURCES = [path for folder in ("api", "shared", "workers") for path in Path(folder).rglob("*.py")]


@pytest.fixture(autouse=True)
def _nothing_stays_armed() -> Iterator[None]:
    yield
    arm("")


@pytest.mark.parametrize("point", POINTS)
def test_a_point_that_is_not_armed_does_nothing(point: str) -> None:
    reach(point)
    arm(";".join(f"{other}=raise" for other in POINTS if other not in (point, "after_chunk")))
    reach(point)


def test_a_point_is_reached_in_one_place_of_the_code_each() -> None:
    calls = "\n".join(path.read_text() for path in SOURCES)
    reached = Counter(re.findall(r'\breach(?:\(|ed=)"(\w+)"', calls))
    assert reached == dict.fromkeys(POINTS, 1)


def test_an_armed_point_raises() -> None:
    arm("before_ack=raise")
    with pytest.raises(FailpointReached, match="before_ack"):
        reach("before_ack")


def test_an_armed_point_waits() -> None:
    arm("after_commit=sleep:0.05;after_claim=raise")
    began = time.monotonic()
    reach("after_commit")
    assert time.monotonic() - began >= 0.05


def test_an_armed_point_waits_for_the_lock_of_a_file(tmp_path: Path) -> None:
    file = tmp_path / "lock"
    arm(f"before_ack=hold:{file}")
    reach("before_ack")  # nobody has the lock yet
    with ThreadPoolExecutor(2) as pool:
        with file.open("w") as held:
            fcntl.flock(held, fcntl.LOCK_EX)
            waiting = [pool.submit(reach, "before_ack") for _ in range(2)]
            assert not wait(waiting, timeout=0.05).done
        joined = wait(waiting, timeout=patience(10))
    assert not joined.not_done


def test_a_numbered_point_acts_at_its_number_only() -> None:
    arm("after_chunk:2=raise")
    reach("after_chunk", 1)
    with pytest.raises(FailpointReached):
        reach("after_chunk", 2)


def test_exit_ends_the_process_as_kill_9_does() -> None:
    process = multiprocessing.get_context("spawn").Process(target=_exit_here)
    process.start()
    process.join(patience(20))
    assert process.exitcode == -signal.SIGKILL


def _exit_here() -> None:
    arm("after_claim=exit")
    reach("after_claim")


@pytest.mark.parametrize(
    "text",
    [
        "after_lunch=exit",
        "after_claim=explode",
        "after_claim",
        "after_claim=sleep",
        "after_claim=hold",
        "after_claim=exit:1",
        "after_chunk=exit",
    ],
)
def test_what_it_does_not_understand_is_named(text: str) -> None:
    with pytest.raises(ValueError, match="is not one of"):
        arm(text)


@pytest.mark.parametrize(
    ("env", "text", "sentence"),
    [
        ("production", "after_claim=exit", "HOLDFAST_ENV=test only"),
        ("development", "after_claim=exit", "HOLDFAST_ENV=test only"),
        ("test", "after_lunch=exit", "after_lunch"),
    ],
)
def test_settings_refuse_them_outside_of_tests_and_when_misspelt(
    env: str, text: str, sentence: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    values = {"HOLDFAST_ENV": env, "HOLDFAST_FAILPOINTS": text, "SECRET_KEY": "x" * 32}
    monkeypatch.setattr(os, "environ", values)
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SettingsError, match=sentence):
        load_settings()


def test_nothing_is_armed_by_default() -> None:
    assert failpoints.actions("") == {}
