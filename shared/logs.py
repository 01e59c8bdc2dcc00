"""One line a log record, with the request or reply it belongs to. Never message text, tokens or keys."""

import logging
import sys
from contextvars import ContextVar

#: What the current thread works for, e.g. `reply=0192…`; empty outside any work.
work: ContextVar[str] = ContextVar("work", default="")

_FORMAT = "%(asctime)s %(levelname)s %(name)s %(message)s%(work)s"


class _WorkFilter(logging.Filter):
    def filter(self, record: logging.LogRecord) -> bool:
        current = work.get()
        record.work = f" [{current}]" if current else ""
        return True


def configure_logs(level: str) -> None:
    """Send every record of this process to standard error, once."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(logging.Formatter(_FORMAT))
    handler.addFilter(_WorkFilter())
    logging.basicConfig(level=level, handlers=[handler], force=True)
    for chatty in ("httpx2", "httpcore2", "openai", "alembic", "engineio", "socketio"):
        logging.getLogger(chatty).setLevel(logging.WARNING)
