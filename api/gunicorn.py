"""Gunicorn's settings, from ours."""

import math

from shared.boot import boot
from shared.core import spare_the_collector

_settings = boot("web")

bind = f"{_settings.host}:{_settings.port}"
workers = _settings.web_workers
threads = _settings.web_threads
worker_class = "gthread"
preload_app = True  # the processes share the memory of what they import
graceful_timeout = math.ceil(_settings.drain_seconds)  # whole seconds, and 0 would drop requests
control_socket_disable = True  # it would stand in the user's home directory, the same for every checkout


def when_ready(_server: object) -> None:
    """Everything is imported, and no process forked yet."""
    spare_the_collector()
