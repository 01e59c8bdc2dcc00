"""The set-up of `make run` meets an old Python or a tool that fails. Its message says what to do."""

import os
import sys
from pathlib import Path
from types import ModuleType

import pytest


def test_an_old_python_goes_on_with_a_newer_one(
    setup: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "python3.12").write_text("")
    (tmp_path / "python3.12").chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(sys, "version_info", (3, 9, 2))
    replaced: list[str] = []
    monkeypatch.setattr(os, "execv", lambda path, _: replaced.append(path) or sys.exit())
    with pytest.raises(SystemExit):
        setup.use_new_python()
    assert replaced == [str(tmp_path / "python3.12")]


def test_an_old_python_alone_is_a_sentence(setup: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    monkeypatch.setattr(sys, "version_info", (3, 9, 2))
    with pytest.raises(setup.Trouble, match=r"This is Python 3\.9: install 3\.11"):
        setup.use_new_python()


SAID = [
    ("VENV_HINTS", "The virtual environment was not created because ensurepip is not available.", "python3-venv"),
    ("VENV_HINTS", "No module named venv", "python3-venv"),
    ("PIP_HINTS", "error: command 'gcc' failed: No such file or directory\nFailed building wheel", "C compiler"),
    ("PIP_HINTS", "unable to execute 'cc': No such file or directory", "C compiler"),
    ("PIP_HINTS", "Failed to establish a new connection: [Errno -3] Temporary failure in name", "check the network"),
    ("PIP_HINTS", "ERROR: Could not find a version that satisfies x==1 (from versions: none)", "check the network"),
    ("PIP_HINTS", "THESE PACKAGES DO NOT MATCH THE HASHES FROM THE REQUIREMENTS FILE.", "not the one that was locked"),
    ("PIP_HINTS", "OSError: [Errno 28] No space left on device", "disk is full"),
    ("NPM_HINTS", "npm error code EAI_AGAIN", "npm registry can't be reached"),
    ("NPM_HINTS", "npm error code EUSAGE", "package-lock.json disagree"),
    ("NPM_HINTS", "npm error something new", "Run this again once that is put right"),
    ("BROWSER_HINTS", "E: Unable to locate package chromium", "apt-get install chromium"),
]


@pytest.mark.parametrize(("hints", "output", "advice"), SAID)
def test_a_tool_that_fails_is_quoted_with_what_to_do_about_it(
    script: ModuleType, hints: str, output: str, advice: str, capsys: pytest.CaptureFixture[str]
) -> None:
    failing = [sys.executable, "-c", f"print({output!r}); raise SystemExit(1)"]
    with pytest.raises(script.Trouble, match=advice):
        script.run(failing, getattr(script, hints))
    assert output in capsys.readouterr().out
