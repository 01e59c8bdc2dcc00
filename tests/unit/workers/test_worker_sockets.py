"""A worker refuses to start on eventlet's sockets. Otherwise all its threads would hang without a word."""

import subprocess
import sys

from tests.eventually import patience


def test_patched_sockets_end_it_with_a_sentence() -> None:
    program = "import eventlet; eventlet.monkey_patch(); from workers.main import create_worker; create_worker()"
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False, timeout=patience(50)
    )
    assert done.returncode == 1
    assert "A worker needs the system's own sockets, but eventlet has patched them." in done.stderr
