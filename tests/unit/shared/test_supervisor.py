"""The supervisor starts dead programs again. After its own end, no process is left over."""

import json
import os
import signal
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from tests.eventually import eventually
from tests.services.guard import Guard
from tests.services.service import Service

ROOT = Path(__file__).parents[3]
# Runs batches of programs. The times in `constants` replace the real ones.
DRIVER = """
import json, os, sys
from shared.command import supervisor

batches, grace, constants = json.loads(sys.argv[1])
vars(supervisor).update(constants)
with supervisor.Supervisor(os.environ, grace) as running:
    for batch in batches:
        running.start(batch)
    running.stopping.wait()
"""
# Prints its own id and its child's. On SIGTERM it ends without ending the child.
PARENT = """
import signal, subprocess, sys
child = subprocess.Popen(["sleep", "600"])
print("pids", __import__("os").getpid(), child.pid, flush=True)
signal.signal(signal.SIGTERM, lambda *_: sys.exit("bye from " + sys.argv[1]))
signal.pause()
"""
STUBBORN = PARENT.replace("lambda *_: sys.exit", "signal.SIG_IGN) or (lambda *_: None")

Run = Callable[..., Service]


@pytest.fixture
def run(guard: Guard, tmp_path: Path) -> Iterator[Run]:
    """Starts a supervisor with the given batches of programs."""
    started: list[Service] = []

    def run(*batches: dict[str, str], grace: float = 10, prefix: str = "", **constants: float) -> Service:
        arguments = json.dumps([batches, grace, constants])
        (tmp_path / "driver.py").write_text(DRIVER)
        (tmp_path / "arguments").write_text(arguments)
        command = f'{prefix} "{sys.executable}" "{tmp_path}/driver.py" "$(cat "{tmp_path}/arguments")"'
        environment = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1"}
        service = Service(guard, f"supervisor-{tmp_path.name}", command, environment=environment)
        started.append(service)
        before = signal.signal(signal.SIGHUP, signal.SIG_DFL)  # else a child inherits nohup's SIG_IGN
        service.start()
        signal.signal(signal.SIGHUP, before)
        return service

    yield run
    for service in started:
        service.kill()


def script(path: Path, text: str, *arguments: str) -> str:
    path.write_text(text)
    return " ".join([f'"{sys.executable}" "{path}"', *arguments])


def said(service: Service, text: str, times: int = 1) -> str:
    """Wait until the supervisor has printed `text` so often. Returns its whole output."""
    eventually(lambda: service.must_live() and service.log.count(text) >= times)
    return service.log


def pids(service: Service) -> list[psutil.Process]:
    """All processes whose ids the programs have printed: their own and their children's."""
    lines = [line.split("pids ")[1] for line in service.log.splitlines() if "pids " in line]
    return [psutil.Process(int(pid)) for line in lines for pid in line.split()]


def gone(process: psutil.Process) -> bool:
    try:
        return process.status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def all_gone(processes: list[psutil.Process]) -> bool:
    return all(map(gone, processes))


def test_output_stands_under_its_programs_name(run: Run) -> None:
    service = run({"web": "sh -c 'echo hello; echo problem >&2; sleep 600'", "other": "sh -c 'echo hi; sleep 600'"})
    said(service, "problem")
    said(service, "hi")
    assert {"web      | hello", "web      | problem", "other    | hi"} <= set(service.log.splitlines())


def test_a_program_that_dies_is_started_again_after_waits_that_double_up_to_the_longest(run: Run) -> None:
    service = run({"web": "sh -c 'exit 3'"}, FIRST_WAIT=0.01, LONGEST_WAIT=0.05)
    said(service, "starting it again", times=5)
    waits = [line.split()[-2] for line in service.log.splitlines() if "web ended (3)" in line]
    assert waits[:5] == ["0.01", "0.02", "0.04", "0.05", "0.05"]


def test_a_program_that_was_healthy_is_started_again_after_the_first_wait(run: Run) -> None:
    service = run({"web": "sh -c 'exit 3'"}, FIRST_WAIT=0.01, HEALTHY=0)
    said(service, "starting it again in 0.01 s", times=4)
    assert "0.02" not in service.log


def test_a_command_that_does_not_exist_is_named_and_tried_again(run: Run) -> None:
    log = said(run({"web": "no-such-command"}, FIRST_WAIT=0.01), "starting it again", times=2)
    assert "no-such-command: not found" in log


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_ends_the_batches_in_reverse_order_and_all_that_they_started(
    run: Run, tmp_path: Path, number: signal.Signals
) -> None:
    commands = {name: script(tmp_path / "parent.py", PARENT, name) for name in ("first", "second", "third")}
    service = run({"first": commands["first"]}, {"second": commands["second"], "third": commands["third"]})
    said(service, "pids", times=3)
    everyone = pids(service)
    os.kill(service.pid, number)
    eventually(lambda: not service.alive)
    eventually(lambda: all_gone(everyone))
    assert service.stop() == 0
    goodbyes = [line.split()[-1] for line in service.log.splitlines() if "bye from" in line]
    assert len(goodbyes) == 3
    assert goodbyes[-1] == "first"


def test_who_ignores_the_signal_is_killed_after_the_grace_period(run: Run, tmp_path: Path) -> None:
    service = run({"stubborn": script(tmp_path / "stubborn.py", STUBBORN)}, grace=0.3)
    said(service, "pids")
    everyone = pids(service)
    os.kill(service.pid, signal.SIGTERM)
    eventually(lambda: not service.alive)
    assert all_gone(everyone)


def test_a_second_ctrl_c_does_not_wait_for_the_grace_period(run: Run, tmp_path: Path) -> None:
    service = run({"stubborn": script(tmp_path / "stubborn.py", STUBBORN)}, grace=600)
    said(service, "pids")
    everyone = pids(service)
    os.kill(service.pid, signal.SIGINT)
    eventually(lambda: not service.alive or os.kill(service.pid, signal.SIGINT))
    eventually(lambda: all_gone(everyone))


def test_nothing_outlives_a_killed_supervisor(run: Run, tmp_path: Path) -> None:
    service = run({"redis": "sleep 600"}, {"web": script(tmp_path / "stubborn.py", STUBBORN)})
    said(service, "pids")
    everyone = [*pids(service), *psutil.Process(service.pid).children(recursive=True)]
    assert len(everyone) >= 4
    service.kill()
    eventually(lambda: all_gone(everyone))


def test_what_a_killed_program_leaves_behind_is_ended_before_it_is_started_again(run: Run, tmp_path: Path) -> None:
    service = run({"web": script(tmp_path / "parent.py", PARENT, "web")}, FIRST_WAIT=0.01)
    said(service, "pids")
    leader, orphan = pids(service)
    leader.kill()
    said(service, "web ended (-9)")
    said(service, "pids", times=2)
    assert gone(orphan)


def test_when_nobody_reads_any_more_everything_ends(run: Run, tmp_path: Path) -> None:
    service = run({"web": "sh -c 'while echo tick; do sleep 0.05; done'"}, prefix="sh -c '\"$@\" | head -n 3' run")
    eventually(lambda: not service.alive)
    assert service.log.count("tick") == 3


def test_nohup_keeps_it_running_without_a_terminal(run: Run) -> None:
    service = run({"web": "sh -c 'echo up; sleep 600'"}, prefix="nohup")
    said(service, "up")
    os.kill(service.pid, signal.SIGHUP)
    os.kill(psutil.Process(service.pid).children()[0].pid, signal.SIGKILL)
    said(service, "web ended (-9)")
    said(service, "up", times=2)
