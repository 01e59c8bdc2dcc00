"""Forget tombstones after 90 days. Until then, clients that were away learn of deletions from them."""

from collections import defaultdict
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from sqlalchemy import Select, Table, bindparam, case, delete, exists, select, update

from shared.database.clock import read_db_moment
from shared.database.retries import retried
from shared.database.units import execute, query, write_unit
from shared.models.chat import chat_sessions
from shared.models.message import messages
from shared.models.user import users

_LIFE = timedelta(days=90)
# Rows of a table that a sweep forgets at most. The next sweep takes the rest.
BATCH = 500


class _Tombstone(NamedTuple):
    id: str
    owner_id: str
    seq: int


def forget_tombstones() -> int:
    """Delete a batch of tombstones. Returns how many. A client that was away longer gets `reset` from `GET /sync`."""
    before = read_db_moment() - _LIFE
    return _forget(messages, query(old_messages(before), row=_Tombstone)) + _forget(
        chat_sessions, query(old_chats(before), row=_Tombstone)
    )


def old_messages(before: datetime) -> Select[Any]:
    """A batch of messages that were deleted before this moment."""
    old = select(messages.c.id, messages.c.owner_id, messages.c.seq).where(messages.c.deleted_at < before)
    return old.order_by(messages.c.deleted_at).limit(BATCH)


def old_chats(before: datetime) -> Select[Any]:
    """A batch of chats that were deleted before this moment, and whose messages are gone already."""
    columns = (chat_sessions.c.id, chat_sessions.c.owner_id, chat_sessions.c.seq)
    old = select(*columns).where(chat_sessions.c.deleted_at < before, ~_has_messages)
    return old.order_by(chat_sessions.c.deleted_at).limit(BATCH)


def _forget(table: Table, rows: list[_Tombstone]) -> int:
    of_owner: dict[str, list[_Tombstone]] = defaultdict(list)
    for row in rows:
        of_owner[row.owner_id].append(row)
    for owner, theirs in of_owner.items():
        _forget_of(owner, table, theirs)
    return len(rows)


@retried
def _forget_of(owner: str, table: Table, theirs: list[_Tombstone]) -> None:
    with write_unit():
        execute(_note, {"owner": owner, "up_to": max(row.seq for row in theirs)})
        execute(delete(table).where(table.c.id.in_([row.id for row in theirs])))


_pruned = case((users.c.pruned_seq < bindparam("up_to"), bindparam("up_to")), else_=users.c.pruned_seq)
_note = update(users).where(users.c.id == bindparam("owner")).values(pruned_seq=_pruned)
_has_messages = exists().where(messages.c.chat_session_id == chat_sessions.c.id)
