"""Gunicorn gets its options from our settings."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.environment import environment
from tests.services.programs import ROOT, bare_environment


@pytest.mark.parametrize(("seconds", "whole"), [("0.5", "1"), ("0.9", "1"), ("10", "10"), ("10.2", "11")])
def test_a_part_of_a_second_to_drain_counts_as_a_whole_one(seconds: str, whole: str, tmp_path: Path) -> None:
    values = environment(f"sqlite:///{tmp_path}/none.db", "redis://127.0.0.1:1", tmp_path, "http://127.0.0.1:1/v1")
    told = subprocess.run(
        [sys.executable, "-c", "import api.gunicorn as told; print(told.graceful_timeout)"],
        env={**bare_environment(), **values, "HOLDFAST_DRAIN_SECONDS": seconds},
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    assert told.stdout.strip() == whole
