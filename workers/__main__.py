"""Starts Dramatiq's own command line with the numbers from the settings: `python -m workers`."""

import os
import sys

from shared.boot import boot
from workers.alone.stragglers import wait_for_stragglers

# Milliseconds that the master waits for its children before it looks after them. A child that is killed while it boots
# is not noticed before, and the default is 30 s; the wait is for extra processes that Holdfast has none of.
_BOOT_WAIT = 1000
# Milliseconds for its threads to end once all has drained (workers/middleware.py); an idle one looks up once a second.
_EXIT_WAIT = 2000


def main() -> int:
    """Run the worker processes until a signal ends them; Dramatiq's exit code."""
    settings = boot("worker")
    # As many as there are threads: a job that waits behind a busy thread could run in another process.
    os.environ["dramatiq_queue_prefetch"] = str(settings.worker_threads)
    from dramatiq import cli  # reads that variable when it is imported

    command = [
        "workers.main:create_worker",
        "--skip-logging",
        f"--processes={settings.worker_processes}",
        f"--threads={settings.worker_threads}",
        f"--worker-fork-timeout={_BOOT_WAIT}",
        f"--worker-shutdown-timeout={_EXIT_WAIT}",
    ]
    sys.argv[:] = [sys.executable, "-m", "workers"]  # what Dramatiq runs in its place after a SIGHUP
    exit_code = int(cli.main(cli.make_argument_parser().parse_args(command)) or 0)
    wait_for_stragglers()
    return exit_code


if __name__ == "__main__":
    sys.exit(main())
