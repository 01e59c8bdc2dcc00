"""One `holdfast` command, as an operator runs it: in a process of its own, to its end."""

import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping

from tests.eventually import ended
from tests.services.guard import Guard

_PROGRAM = "shared.command.cli"
Done = subprocess.CompletedProcess[str]
#: The fixture `holdfast` of the integration tests.
Run = Callable[..., Done]


def holdfast(guard: Guard, words: list[str], environment: Mapping[str, str]) -> Done:
    """The exit code and the output of this command. A nursery starts it if there is one (D-140)."""
    with tempfile.TemporaryFile("w+") as out, tempfile.TemporaryFile("w+") as errors:
        if sys.platform == "linux":
            fork = guard.nurseries["threads"].start(
                [_PROGRAM, *words], environment, out.fileno(), errors.fileno(), guard.pipe
            )
            code = ended(fork, within=60)
            fork.wait()
            guard.forget(fork.pid)
        else:
            command = [sys.executable, "-m", _PROGRAM, *words]
            code = subprocess.run(command, env=environment, stdout=out, stderr=errors, check=False).returncode
        out.seek(0)
        errors.seek(0)
        return Done(words, code, out.read(), errors.read())
