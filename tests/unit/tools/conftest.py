"""The set-up script, alone and with pretended tools. A fake model, and an openai client that asks it."""

import importlib.util
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import openai
import pytest

from tests.eventually import patience
from tests.fake_model import FakeModel

SCRIPT = Path(__file__).parents[3] / "scripts" / "setup.py"
LOCKS = ("run", "dev", "node")


@pytest.fixture
def script() -> ModuleType:
    spec = importlib.util.spec_from_file_location("setup_script", SCRIPT)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def setup(script: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The script, at work in its own folder. `ran` lists the commands that it has run."""
    setup = script
    venv = tmp_path / ".venv"
    monkeypatch.setattr(setup, "ROOT", tmp_path)
    monkeypatch.setattr(setup, "VENV", venv)
    monkeypatch.setattr(setup, "STAMP", venv / "installed")
    monkeypatch.setattr(setup, "PYTHON", sys.executable)
    setup.ran = []
    monkeypatch.setattr(setup, "run", lambda command, _hints: pretend(setup, command))
    for name in ("pyproject.toml", "package.json", "package-lock.json"):
        (tmp_path / name).write_text(name)
    (tmp_path / "locks").mkdir()
    for name in LOCKS:
        (tmp_path / "locks" / f"{name}.txt").write_text(name)
    return setup


def pretend(setup: ModuleType, command: list[str]) -> None:
    setup.ran.append(" ".join(command))
    if "venv" in command:
        setup.VENV.mkdir()
    if "ci" in command:
        (setup.ROOT / "node_modules").mkdir(exist_ok=True)


@pytest.fixture(scope="module")
def model() -> Iterator[FakeModel]:
    with FakeModel() as server:
        yield server


@pytest.fixture
def client(model: FakeModel) -> Iterator[openai.OpenAI]:
    with openai.OpenAI(api_key="test", base_url=model.base_url, max_retries=0, timeout=patience(5)) as client:
        yield client
