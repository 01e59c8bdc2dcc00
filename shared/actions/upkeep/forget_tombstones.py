"""Forget tombstones after 90 days. Until then, clients that were away learn of deletions from them."""

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
    return _forget(messages, old_messages(before)) + _forget(chat_sessions, old_chats(before))


def old_messages(before: datetime) -> Select[Any]:
    """A batch of messages that were deleted before this moment."""
    return _old(messages, before)


def old_chats(before: datetime) -> Select[Any]:
    """A batch of chats that were deleted before this moment, and whose messages are gone already."""
    return _old(chat_sessions, before).where(~_has_messages)


def _old(table: Table, before: datetime) -> Select[Any]:
    old = select(table.c.id, table.c.owner_id, table.c.seq).where(table.c.deleted_at < before)
    return old.join(users, users.c.id == table.c.owner_id).order_by(table.c.deleted_at).limit(BATCH)


@retried
def _forget(table: Table, old: Select[Any]) -> int:
    """Delete a batch of rows that are free, as are their owners. So one locked row or user holds nobody up (D-116)."""
    if not query(old.limit(1)):
        return 0
    with write_unit():
        rows = execute(old.with_for_update(skip_locked=True), row=_Tombstone)
        up_to: dict[str, int] = {}
        for row in rows:
            up_to[row.owner_id] = max(row.seq, up_to.get(row.owner_id, 0))
        if rows:
            execute(_note, [{"owner": owner, "up_to": seq} for owner, seq in up_to.items()])
            execute(delete(table).where(table.c.id.in_([row.id for row in rows])))
    return len(rows)


_pruned = case((users.c.pruned_seq < bindparam("up_to"), bindparam("up_to")), else_=users.c.pruned_seq)
_note = update(users).where(users.c.id == bindparam("owner")).values(pruned_seq=_pruned)
_has_messages = exists().where(messages.c.chat_session_id == chat_sessions.c.id)
