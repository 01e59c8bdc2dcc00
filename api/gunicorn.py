"""Gunicorn's settings. Their values come from `shared/settings/`."""

import math

from shared.boot import boot
from shared.core import spare_the_collector

_settings = boot("web")

bind = f"{_settings.host}:{_settings.port}"
workers = _settings.web_workers
threads = _settings.web_threads
worker_class = "gthread"
preload_app = True  # the processes share the memory of the modules that they import
graceful_timeout = math.ceil(_settings.drain_seconds)  # gunicorn takes whole seconds; with 0 it would drop requests
control_socket_disable = True  # all checkouts would share one socket file in the user's home directory


def when_ready(_server: object) -> None:
    """Gunicorn calls this after the imports and before it forks. So all processes share the frozen memory (D-81)."""
    spare_the_collector()
