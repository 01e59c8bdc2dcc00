"""One line for each log record, with the reply it belongs to. No line holds message text, tokens or keys."""

import logging
import sys
from contextvars import ContextVar

#: The reply that the current thread works on, as in `reply=0192…`; empty outside of any work.
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
