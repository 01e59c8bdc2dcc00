"""Runs `web` with four addresses more: work that holds its thread, leaves a trace, or goes wrong."""

import fcntl
import logging
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from api import web
from shared.settings import load_settings

log = logging.getLogger("unruly")


@contextmanager
def gate(folder: Path, port: int) -> Iterator[None]:
    """The lock of a file. While somebody holds the gate, `/holds` waits for it."""
    with (folder / f"gate-{port}").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _holds() -> None:
    settings = load_settings()
    log.warning("it holds")
    with gate(settings.data_dir, settings.port):
        log.warning("it held")


def _exits() -> None:
    sys.exit("on purpose")


def _fails() -> None:
    raise UnicodeError("on purpose")


_WORK: dict[str, Callable[[], Any]] = {
    "/holds": _holds,
    "/tells": lambda: log.warning("it tells"),
    "/exits": _exits,
    "/fails": _fails,
}
_create_app = web.create_app


def _create_unruly_app() -> Any:
    app = _create_app()
    usual = app.wsgi_app

    def wsgi_app(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        if work := _WORK.get(environ["PATH_INFO"]):
            work()
        return usual(environ, start_response)

    app.wsgi_app = wsgi_app  # type: ignore[method-assign]
    return app


web.create_app = _create_unruly_app

if __name__ == "__main__":
    sys.exit(web.main())
