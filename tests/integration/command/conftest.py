"""A user's folder, and `holdfast up` in it."""

import os
import signal
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.eventually import eventually
from tests.services.guard import Guard
from tests.services.programs import ROOT, free_port
from tests.services.service import Service

# Answers /healthz. Another test runs the real programs.
STAND_IN = "python -m http.server ${} --bind ${{HOLDFAST_HOST:-127.0.0.1}}"
PROCFILE = f"web: {STAND_IN.format('PORT')}\n\n# sockets\nrealtime: {STAND_IN.format('REALTIME_PORT')}\n"

Up = Callable[..., Service]


@pytest.fixture
def folder(guard: Guard, tmp_path: Path) -> Path:
    """A user's folder. The space in its name is on purpose."""
    folder = guard.folder / f"up {tmp_path.parent.name} {tmp_path.name}"
    folder.mkdir()
    (folder / "healthz").touch()
    (folder / "Procfile").write_text(PROCFILE)
    return folder


@pytest.fixture
def ports() -> dict[str, str]:
    return {"PORT": str(free_port()), "REALTIME_PORT": str(free_port())}


@pytest.fixture
def up(guard: Guard, folder: Path, ports: dict[str, str]) -> Iterator[Up]:
    """Start `holdfast up` in the folder. With ready=False, wait until the command has ended by itself."""
    started: list[Service] = []

    def up(ready: bool = True, **environment: str) -> Service:
        command = f'sh -c \'cd "{folder}" && exec "{sys.executable}" -m shared.command.cli up\''
        environment = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), **ports, **environment}
        service = Service(guard, f"{folder.name}-{len(started)}", command, environment=environment, end=signal.SIGINT)
        started.append(service)
        service.start()
        eventually(
            lambda: service.must_live() and "ready: open" in service.log if ready else not service.alive, within=40
        )
        return service

    yield up
    for service in started:
        service.stop()
