"""Several processes of `web` on one port, and a process that may open few files."""

from collections.abc import Callable

import psutil

from tests.edge.web.web_server import WebServer
from tests.eventually import eventually


def test_a_process_that_dies_is_started_again_and_none_outlives_the_first(start_web: Callable[..., WebServer]) -> None:
    web = start_web("two", HOLDFAST_WEB_WORKERS="2")
    first = psutil.Process(web.service.pid)
    victim, other = eventually(lambda: _serving(first), within=30)
    victim.kill()
    eventually(lambda: victim not in (now := _serving(first)) and other in now and len(now) == 2, within=30)
    assert web.healthy
    orphans = _serving(first)
    first.kill()
    eventually(lambda: not any(orphan.is_running() for orphan in orphans), within=30)
    assert not web.healthy


def _serving(first: psutil.Process) -> list[psutil.Process]:
    """The processes that take requests, once there are two."""
    living = [child for child in first.children() if child.status() != psutil.STATUS_ZOMBIE]
    found = [child for child in living if "spawn_main" in " ".join(child.cmdline())]
    return found if len(found) == 2 else []


def test_with_few_files_it_takes_fewer_clients_and_with_too_few_it_tells_what_to_do(
    start_web: Callable[..., WebServer],
) -> None:
    web = start_web("files")
    web.service.stop()
    web.service.start(instead="sh -c 'ulimit -n 400 && exec python -m api.web'")
    eventually(lambda: web.service.must_live() and web.healthy, within=30)
    assert "leaves room for 268 connections; for HOLDFAST_WEB_CONNECTIONS (4000)" in web.service.log
    web.service.stop()
    web.service.start(instead="sh -c 'ulimit -n 100 && exec python -m api.web'")
    eventually(lambda: not web.service.alive, within=30)
    assert web.service.log.splitlines()[-1].startswith("web: The limit of open files (100) is too low: raise it to ")
