"""`python -m workers` starts Dramatiq's own command line with the numbers of the settings."""

import os
import sys

from shared.boot import boot
from workers.alone.stragglers import wait_for_stragglers

# Milliseconds that the master waits before it watches its children (D-18). Until then it does not notice the death of a
# child. Dramatiq's default is 30 s, for extra processes that Holdfast does not have.
_BOOT_WAIT = 1000
# Milliseconds that the threads may take to end after the drain (workers/middleware.py). An idle thread checks once a
# second whether to end.
_EXIT_WAIT = 2000


def main() -> int:
    """Run the worker processes until a signal ends them. Returns Dramatiq's exit code."""
    settings = boot("worker")
    # A process fetches as many jobs as it has threads. A further job would wait, though another process could run it.
    os.environ["dramatiq_queue_prefetch"] = str(settings.worker_threads)
    from dramatiq import cli  # dramatiq reads that variable when it is imported

    command = [
        "workers.main:create_worker",
        "--skip-logging",
        f"--processes={settings.worker_processes}",
        f"--threads={settings.worker_threads}",
        f"--worker-fork-timeout={_BOOT_WAIT}",
        f"--worker-shutdown-timeout={_EXIT_WAIT}",
    ]
    sys.argv[:] = [sys.executable, "-m", "workers"]  # Dramatiq runs this command in place after a SIGHUP (D-17)
    exit_code = int(cli.main(cli.make_argument_parser().parse_args(command)) or 0)
    wait_for_stragglers()
    return exit_code


if __name__ == "__main__":
    sys.exit(main())
