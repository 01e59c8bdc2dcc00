"""Erase all rows of a deleted chat or account, in batches of bounded time. No batch holds up other users (D-117).

The unit of the deletion makes a promise: from its commit on, no answer shows the rows, and a row of `erasures` tells
the sweeper what is left. A batch takes no lock of the owner, because nobody else changes these rows any more.
"""

import time
from dataclasses import dataclass
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Select, Table, bindparam, delete, insert, literal_column, select, update

from shared.actions.messages.erase import EMPTY
from shared.database.clock import db_moment, utc_now
from shared.database.prepared import Rows
from shared.database.retries import retried
from shared.database.units import execute, query, write_unit
from shared.database.weights import fitting, octets
from shared.models.chat import chat_sessions
from shared.models.erasure import ErasureRow, erasures
from shared.models.message import messages

#: Rows of a table that the deletion's own unit erases. The sweeper erases the rest.
AT_ONCE = 500
# Seconds that a batch should take, and the most rows of one. SQLite lets nobody else write meanwhile.
_BATCH_SECONDS, _MOST = 0.05, 2_000
# Bytes of texts that one transaction erases at most. SQLite puts zeros over them, and nobody else can write meanwhile.
_BYTES = 2 * 1024 * 1024
# Seconds after which erase_more() leaves the turn to other deletions.
_SLICE = 1.0
# Positions and numbers begin later.
_BEFORE_ALL = -1


def erase_chat(chat_id: str, owner_id: str, seq: int, last: int) -> None:
    """Erase the messages of this chat, up to position `last`, in the unit that deletes it. Notes the rest."""
    _begin(ErasureRow(chat_id, owner_id, seq, last, _BEFORE_ALL))


def erase_account(owner_id: str, seq: int) -> None:
    """Erase the chats and messages of this user in the unit that deletes the account. Notes the rest."""
    _begin(ErasureRow(owner_id, owner_id, seq, seq, _BEFORE_ALL))


def erase_more(erasure: ErasureRow) -> int:
    """Erase further rows for about a second. Returns how many. A row that somebody has locked waits for another call.

    If nothing is left, the deletion is over, and its row goes.
    """
    until, erased, whole = time.monotonic() + _SLICE, 0, True
    reached = after = erasure.reached
    size = AT_ONCE
    while after < erasure.last:
        began, up_to = time.monotonic(), after + size
        found, done, up_to = _erase_between(erasure, after, up_to)
        size, erased, whole, after = up_to - after, erased + done, whole and done == found, up_to
        reached = after if whole else reached
        if time.monotonic() > until:
            break
        took = time.monotonic() - began
        time.sleep(took)  # half of the time belongs to all others who write
        size = max(1, min(_MOST, int(size * _BATCH_SECONDS / took)))
    _note(erasure, reached)
    return erased


@dataclass(frozen=True)
class _Part:
    """The rows of one table that belong to a chat or an account. An index has their `place`."""

    table: Table
    of: ColumnElement[Any]
    place: ColumnElement[int]
    size: ColumnElement[int]
    empty: dict[str, Any]


class _Found(NamedTuple):
    id: str
    place: int
    octets: int


def _parts(erasure: ErasureRow) -> list[_Part]:
    return _OF_ACCOUNT if erasure.id == erasure.owner_id else _OF_CHAT


def _begin(erasure: ErasureRow) -> None:
    whole = True
    for part in _parts(erasure):
        found = execute(_left(part, erasure).limit(AT_ONCE), row=_Found)
        fit = fitting((row.octets for row in found), _BYTES)
        done = _erase(part, erasure, [row.id for row in found[:fit]])
        whole = whole and done == len(found) < AT_ONCE
    if not whole:
        execute(insert(erasures), erasure._asdict())


def _left(part: _Part, erasure: ErasureRow) -> Select[Any]:
    columns = (part.table.c.id, part.place.label("place"), part.size.label("octets"))
    return select(*columns).where(part.of == erasure.id, part.table.c.deleted_at.is_(None))


@retried
def _erase_between(erasure: ErasureRow, after: int, up_to: int) -> tuple[int, int, int]:
    """Erase the rows in a range of places. Returns how many there were, how many are erased now, and the last place.

    Without a range, PostgreSQL might sort all rows for each batch.
    """
    parts = _parts(erasure)
    found = [query(_left(part, erasure).where(part.place > after, part.place <= up_to), row=_Found) for part in parts]
    if not any(found):
        return 0, 0, up_to
    up_to = _that_fits(found, up_to)
    ids = [[row.id for row in rows if row.place <= up_to] for rows in found]
    with write_unit():
        done = [_erase(part, erasure, some) for part, some in zip(parts, ids, strict=True)]
    return sum(map(len, ids)), sum(done), up_to


def _that_fits(found: list[Rows[_Found]], up_to: int) -> int:
    """The last place up to which the texts fit in one transaction. Rows of one place stay together."""
    rows = sorted((row for rows in found for row in rows), key=lambda row: row.place)
    fit = fitting((row.octets for row in rows), _BYTES)
    return up_to if fit >= len(rows) else max(rows[fit].place - 1, rows[fit - 1].place)


def _erase(part: _Part, erasure: ErasureRow, ids: list[str]) -> int:
    """Erase these rows. Returns how many: rows that somebody has locked stay."""
    free = select(part.table.c.id).where(part.table.c.id.in_(ids), part.table.c.deleted_at.is_(None))
    free = free.with_for_update(skip_locked=True)
    tombstone = {"deleted_at": db_moment(), "updated_at": utc_now(), "seq": erasure.seq}
    emptied = update(part.table).where(part.table.c.id.in_(free)).values(part.empty | tombstone)
    return len(execute(emptied.returning(part.table.c.id)))


@retried
def _note(erasure: ErasureRow, reached: int) -> None:
    """Note that everything up to here is erased, so that nobody needs to look there again."""
    with write_unit():
        execute(_over if reached >= erasure.last else _go_on, {"whose": erasure.id, "up_to": reached})


_OF_CHAT = [_Part(messages, messages.c.chat_session_id, messages.c.position, octets(messages.c.content), EMPTY)]
#: The columns of a chat that hold its owner's words, emptied.
NO_WORDS: dict[str, Any] = {"title": "", "settings": {}}
_OF_ACCOUNT = [
    _Part(chat_sessions, chat_sessions.c.owner_id, chat_sessions.c.seq, literal_column("0"), NO_WORDS),
    _Part(messages, messages.c.owner_id, messages.c.seq, octets(messages.c.content), EMPTY),
]
_this = erasures.c.id == bindparam("whose")
_go_on = update(erasures).where(_this).values(reached=bindparam("up_to"))
_over = delete(erasures).where(_this)
