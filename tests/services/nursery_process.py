"""The process that forks the programs of a test run: `python -m tests.services.nursery_process KIND`. See nursery.py.

Each message on its standard input asks for a program, or lets a dead program be forgotten. Until then the dead one
keeps its number, so that nobody signals a stranger by mistake.
"""

import gc
import importlib
import json
import os
import runpy
import signal
import sys
import warnings
from contextlib import suppress
from select import select  # eventlet replaces the one of the module
from socket import recv_fds, socket, socketpair
from typing import Any

# All but Dramatiq, which reads the environment when it is imported
_PACKAGES = {
    "threads": (
        "alembic",
        "argon2",
        "flask",
        "flask_smorest",
        "flask_sqlalchemy",
        "jwt",
        "msgspec",
        "openai",
        "redis",
        "uvicorn",
    ),
    "green": ("environs", "jwt", "marshmallow", "msgspec", "redis", "socketio"),
}
# The most bytes of a message: a command with its environment
REQUEST = 1 << 16
# The words after `python -m`, the environment, the current folder, and the files of the output and of the errors
Program = tuple[list[str], dict[str, str], str, int, int]
# The hub of the nursery. A fork that threw it away would close a file of its own that has the same number by then.
_kept: list[Any] = []


def main(kind: str) -> None:
    """Serve until the test process ends. In each fork, run the program and return as it ends."""
    ends = socket(fileno=0), *socketpair()  # eventlet must not replace these sockets
    if kind == "green":
        _let_eventlet_in()
    for package in _PACKAGES[kind]:
        importlib.import_module(package)
    gc.freeze()
    program = _forked(*ends)
    if program:
        _become(*program)


def _let_eventlet_in() -> None:
    """Let eventlet replace the sockets, as `api.realtime` does before any other import."""
    warnings.filterwarnings("ignore", message=r"\s*Eventlet is deprecated")
    eventlet = importlib.import_module("eventlet")
    eventlet.monkey_patch()
    _kept.append(eventlet.hubs.get_hub())


def _forked(channel: socket, woken: socket, waker: socket) -> Program | None:
    """Fork for each program that is asked for. A fork gets its program, and the nursery None at the end."""
    waker.setblocking(False)
    signal.signal(signal.SIGCHLD, lambda *_: None)  # without a handler, the next line would have no effect
    signal.set_wakeup_fd(waker.fileno())
    living: set[int] = set()
    while True:
        readable, *_ = select([channel, woken], [], [])
        if woken in readable:
            woken.recv(REQUEST)
            living -= {pid for pid in living if _tell_the_end(channel, pid)}
        if channel in readable:
            text, fds, *_ = recv_fds(channel, REQUEST, 3)
            if not text:
                return None
            if program := _obey(channel, living, json.loads(text), fds):
                for end in (channel, woken, waker):
                    end.detach()
                return program


def _obey(channel: socket, living: set[int], asked: dict[str, Any], fds: list[int]) -> Program | None:
    """Forget a dead program, or fork. Only the fork gets a program back, once it can be signalled as a group."""
    if "bury" in asked:
        os.waitpid(asked["bury"], 0)
    elif (pid := os.fork()) == 0:
        out, errors, guard = fds
        os.setsid()
        os.write(guard, b"%d KILL\n" % os.getpid())
        channel.send(json.dumps({"born": os.getpid()}).encode())
        return asked["words"], asked["environment"], asked["folder"], out, errors
    else:
        living.add(pid)
    for fd in fds:
        os.close(fd)
    return None


def _tell_the_end(channel: socket, pid: int) -> bool:
    ended = os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG | os.WNOWAIT)
    if ended is None:
        return False
    code = ended.si_status if ended.si_code == os.CLD_EXITED else -ended.si_status
    with suppress(BrokenPipeError):  # the test process has ended
        channel.send(json.dumps({"died": pid, "code": code}).encode())
    return True


def _become(words: list[str], environment: dict[str, str], folder: str, out: int, errors: int) -> None:
    """Run the program. Its SystemExit ends this process as usual."""
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    os.dup2(out, 1)
    os.dup2(errors, 2)
    signal.set_wakeup_fd(-1)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    os.closerange(3, 100)
    gc.unfreeze()  # the program itself says what its collector leaves out
    if _kept:
        importlib.import_module("eventlet.hubs").use_hub()  # a new one, because its selector has been closed
    os.environ.clear()
    os.environ.update(environment)
    os.chdir(folder)
    sys.path[0], sys.argv = folder, words
    runpy.run_module(words[0], run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
