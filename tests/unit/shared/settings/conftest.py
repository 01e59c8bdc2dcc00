"""An environment without this machine's own settings."""

import os
from pathlib import Path

import pytest


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> dict[str, str]:
    """The whole environment that the settings see, without this machine's own and without `.env`."""
    environment: dict[str, str] = {}
    monkeypatch.setattr(os, "environ", environment)
    monkeypatch.chdir(tmp_path)
    return environment
