"""Starts Dramatiq's own command line with the numbers from the settings: `python -m workers`."""

import os
import sys

from shared.settings import SettingsError, load_settings


def main() -> int:
    """Run the worker processes until a signal ends them; Dramatiq's exit code."""
    try:
        settings = load_settings()
        settings.require_services()
    except SettingsError as error:
        print(f"worker: {error}", file=sys.stderr)
        return 1
    # As many as there are threads: a job that waits behind a busy thread could run in another process.
    os.environ["dramatiq_queue_prefetch"] = str(settings.worker_threads)
    from dramatiq import cli  # reads that variable when it is imported

    command = [
        "workers.main:create_worker",
        "--skip-logging",
        f"--processes={settings.worker_processes}",
        f"--threads={settings.worker_threads}",
        f"--worker-shutdown-timeout={int(settings.drain_seconds * 1000)}",
    ]
    return int(cli.main(cli.make_argument_parser().parse_args(command)) or 0)


if __name__ == "__main__":
    sys.exit(main())
