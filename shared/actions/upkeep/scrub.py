"""Take erased text off the disk too, within a minute: out of SQLite's files, and out of Redis's append-only file.

A deletion empties the rows at once. Their old text may still lie in free pages, in a log, in the index of words, or in
the live text of a reply that Redis was asked to drop while it was away.
"""

import time
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial
from typing import NamedTuple

from sqlalchemy import BigInteger, BindParameter, bindparam, exists, or_, select

from shared.core import current_link
from shared.database.clock import db_now, read_db_moment
from shared.database.files import empty_log, merge_words, rewrite_file
from shared.database.units import query
from shared.models.chat import chat_sessions
from shared.models.message import messages
from shared.models.user import users
from shared.redis import live_text
from shared.redis.persistence import Rewriting

# A deletion is this much younger than its moment, at most, because its transaction ends later.
_UNSEEN = timedelta(seconds=30)
# Redis keeps no live text of a reply whose deadline lies further back.
_FORGOTTEN = timedelta(seconds=2 * live_text.TTL)
# Live texts that one trip drops at most.
_BATCH = 500


class Scrub:
    """Scrubs one place whenever something was deleted. The first time it does so in any case.

    `begin` gets the moment of the oldest deletion. If `begin` or `is_done` answers no, the next step tries again.
    """

    def __init__(self, begin: Callable[[datetime], bool], is_done: Callable[[], bool]) -> None:
        self._begin, self._is_done = begin, is_done
        self._clean_until: _Time | None = None
        self._begun: _Time | None = None

    def step(self) -> bool:
        """Go on as far as possible. Returns whether everything that was deleted by now is scrubbed."""
        now = _Time(read_db_moment(), time.monotonic())
        if self._begun is None:
            since = self._clean_until.at_the_earliest(now) - _UNSEEN if self._clean_until else now.moment - _FORGOTTEN
            if self._clean_until and not _was_deleted(since):
                return True
            if not self._begin(since):
                return False
            self._begun = now
        if not self._is_done():
            return False
        self._clean_until, self._begun = self._begun, None
        return True


class _Time(NamedTuple):
    """A time by the database's clock, and by the monotonic clock of this process."""

    moment: datetime
    monotonic: float

    def at_the_earliest(self, now: "_Time") -> datetime:
        """This time, as the database's clock may have shown it since. Somebody may have set that clock back."""
        return min(self.moment, now.moment - timedelta(seconds=now.monotonic - self.monotonic))


def scrubs() -> dict[str, Scrub]:
    """The places that keep text, by name."""
    rewriting = Rewriting()
    return {
        "database": Scrub(lambda _: merge_words() and rewrite_file(), empty_log),
        "redis": Scrub(partial(_drop_live_texts, rewriting), lambda: rewriting.is_done(current_link())),
    }


def _was_deleted(since: datetime) -> bool:
    return query(_any_deleted, {"since": since}, row=_Found)[0].found


def _drop_live_texts(rewriting: Rewriting, since: datetime) -> bool:
    """Drop what Redis still has of deleted replies, and have it write its file anew. False if Redis is away."""
    link = current_link()
    replies = query(_replies, {"since": since, "forgotten_ms": _FORGOTTEN // timedelta(milliseconds=1)}, row=_Reply)
    for first in range(0, len(replies), _BATCH):
        pipe = link.pipeline()
        for reply in replies[first : first + _BATCH]:
            live_text.forget(link, pipe, reply.id, reply.attempt)
        if link.send(pipe) is None:
            return False
    return rewriting.begin(link)


class _Found(NamedTuple):
    found: bool


class _Reply(NamedTuple):
    id: str
    attempt: int


_since: BindParameter[datetime] = bindparam("since")
_any_deleted = select(
    or_(*(exists().where(table.c.deleted_at >= _since) for table in (messages, chat_sessions, users))).label("found")
)
_replies = select(messages.c.id, messages.c.attempt).where(
    messages.c.deleted_at >= _since,
    messages.c.attempt > 0,
    messages.c.deadline_at >= db_now() - bindparam("forgotten_ms", type_=BigInteger),
)
