"""How fast replies end, and whether any worker lives. Each process keeps its answer for a second, for all readers."""

import time
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from flask import current_app
from sqlalchemy import bindparam, exists, func, literal_column, select

from shared.actions.queue.presence import LIVES, was_seen_within
from shared.database.clock import utc_now
from shared.database.prepared import Prepared
from shared.database.units import query
from shared.models.message import has_status, messages
from shared.models.status import Status
from shared.models.worker import WORKER, workers

# Seconds for which an answer is kept. Otherwise each post would need one more statement (D-154).
_FRESH = 1.0
# The time whose completions count, and how many of them are enough for a guess.
_SPAN, _ENOUGH = timedelta(minutes=5), 5
# The newest completions that are counted. Of more than these, the shorter time in which they came counts.
_MOST = 500


class Pace(NamedTuple):
    """The completed replies of the last minutes, the moment of the first of them, and whether no worker lives."""

    completions: int
    oldest: datetime | None
    no_worker: bool

    def after(self, replies: int) -> datetime | None:
        """The moment at which so many more replies have ended at this pace. It is a guess, and None without one."""
        if self.no_worker or self.completions < _ENOUGH or self.oldest is None:
            return None
        now = utc_now()
        span = _SPAN if self.completions < _MOST else now - self.oldest
        return now + replies * span / self.completions


def current_pace() -> Pace:
    """The pace of at most a second ago."""
    kept, read_at = current_app.extensions.get("pace", (None, 0.0))
    if kept is not None and time.monotonic() - read_at < _FRESH:
        assert isinstance(kept, Pace)
        return kept
    read_at = time.monotonic()
    pace = query(_read, {"since": utc_now() - _SPAN})[0]
    current_app.extensions["pace"] = (pace, read_at)
    return pace


# No worker has written a copy in a forked chat. Its owner could make thousands of them (D-217).
_WRITTEN_HERE = messages.c.attempt > literal_column("0")
_newest = (
    select(messages.c.completed_at)
    .where(has_status(Status.COMPLETED), _WRITTEN_HERE, messages.c.completed_at > bindparam("since"))
    .order_by(messages.c.completed_at.desc())
    .limit(_MOST)
    .subquery("newest")
)
_lives: Any = exists().where(workers.c.kind == WORKER, was_seen_within(LIVES))
_read = Prepared(
    select(
        func.count().label("completions"),
        func.min(_newest.c.completed_at).label("oldest"),
        (~_lives).label("no_worker"),
    ).select_from(_newest),
    Pace,
)
