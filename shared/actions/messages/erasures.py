"""Erase all rows of a deleted chat or account, in batches of bounded time. No batch holds up other users (D-142).

The unit of the deletion makes a promise: from its commit on, no answer shows the rows, and a row of `erasures` tells
the sweeper what is left. A batch takes no lock of the owner, because nobody else changes these rows any more.
"""

import time
from dataclasses import dataclass
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Table, bindparam, delete, insert, select, update

from shared.actions.messages.erase import EMPTY
from shared.database.clock import db_moment, utc_now
from shared.database.retries import retried
from shared.database.units import execute, query, write_unit
from shared.models.chat import chat_sessions
from shared.models.erasure import ErasureRow, erasures
from shared.models.message import messages

#: Rows of a table that the deletion's own unit erases. The sweeper erases the rest.
AT_ONCE = 500
# Seconds that a batch should take, and the most rows of one. SQLite lets nobody else write meanwhile.
_BATCH_SECONDS, _MOST = 0.05, 2_000
# Seconds that erase_more() takes at most, apart from its last batch. Then other deletions have their turn.
_SLICE = 1.0
# Positions and numbers begin later.
_BEFORE_ALL = -1


def erase_all(what: str, owner_id: str, seq: int) -> None:
    """Erase the rows of this chat or account, in the unit that deletes it. Notes what is left for erase_more()."""
    erasure = ErasureRow(what, owner_id, seq, _BEFORE_ALL)
    batches = [_some(part, erasure, _BEFORE_ALL, AT_ONCE, execute) for part in _parts(erasure)]
    erased = [_erase(part, erasure, batch) for part, batch in zip(_parts(erasure), batches, strict=True)]
    if erased != [len(batch) for batch in batches] or max(erased) == AT_ONCE:
        execute(insert(erasures), erasure._asdict())


def erase_more(erasure: ErasureRow) -> int:
    """Erase further rows for about a second. Returns how many. A row that somebody has locked waits for another call.

    If nothing is left, the erasure is over, and its row goes.
    """
    until, erased, whole = time.monotonic() + _SLICE, 0, True
    for part in _parts(erasure):
        after, size = erasure.reached if part.table is messages else _BEFORE_ALL, AT_ONCE
        while batch := _some(part, erasure, after, size, query):
            if time.monotonic() > until:
                return erased
            began, after = time.monotonic(), batch[-1].place
            done = _erase_batch(part, erasure, batch, note=whole)
            erased, whole = erased + done, whole and done == len(batch)
            took = time.monotonic() - began
            size = max(1, min(_MOST, int(size * _BATCH_SECONDS / took)))
            time.sleep(took)  # half of the time belongs to all others who write
    if whole:
        _end(erasure)
    return erased


class _Found(NamedTuple):
    id: str
    place: int


@dataclass(frozen=True)
class _Part:
    """The rows of one table that belong to a chat or an account, in the order of an index."""

    table: Table
    of: ColumnElement[Any]
    place: ColumnElement[int]
    empty: dict[str, Any]


def _parts(erasure: ErasureRow) -> list[_Part]:
    return _OF_ACCOUNT if erasure.id == erasure.owner_id else _OF_CHAT


def _some(part: _Part, erasure: ErasureRow, after: int, most: int, run: Any) -> list[_Found]:
    found = select(part.table.c.id, part.place.label("place")).where(
        part.of == erasure.id, part.place > after, part.table.c.deleted_at.is_(None)
    )
    rows: list[_Found] = run(found.order_by(part.place).limit(most), row=_Found)
    return rows


@retried
def _erase_batch(part: _Part, erasure: ErasureRow, batch: list[_Found], note: bool) -> int:
    """Erase a batch. With `note`, everything before it is erased, so that nobody needs to look there again."""
    with write_unit():
        done = _erase(part, erasure, batch)
        if note and done == len(batch) and part.table is messages:
            execute(_note, {"whose": erasure.id, "up_to": batch[-1].place})
    return done


def _erase(part: _Part, erasure: ErasureRow, batch: list[_Found]) -> int:
    ids = [row.id for row in batch]
    free = select(part.table.c.id).where(part.table.c.id.in_(ids), part.table.c.deleted_at.is_(None))
    free = free.with_for_update(skip_locked=True)
    tombstone = {"deleted_at": db_moment(), "updated_at": utc_now(), "seq": erasure.seq}
    emptied = update(part.table).where(part.table.c.id.in_(free)).values(part.empty | tombstone)
    return len(execute(emptied.returning(part.table.c.id)))


@retried
def _end(erasure: ErasureRow) -> None:
    with write_unit():
        execute(_over, {"whose": erasure.id})


_OF_CHAT = [_Part(messages, messages.c.chat_session_id, messages.c.position, EMPTY)]
_OF_ACCOUNT = [
    _Part(chat_sessions, chat_sessions.c.owner_id, chat_sessions.c.seq, {"title": "", "settings": {}}),
    _Part(messages, messages.c.owner_id, messages.c.seq, EMPTY),
]
_this = erasures.c.id == bindparam("whose")
_note = update(erasures).where(_this).values(reached=bindparam("up_to"))
_over = delete(erasures).where(_this)
