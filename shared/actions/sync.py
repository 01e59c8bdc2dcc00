"""Read a user's changes since a number of `seq`: the rows as they are now, page by page.

This module never asks Redis. The caller adds the text of running replies that is not in the rows yet.
"""

from dataclasses import dataclass, field
from typing import Any, NamedTuple

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    FromClause,
    Select,
    bindparam,
    cast,
    func,
    literal_column,
    select,
    union_all,
)

from shared.database.prepared import Prepared
from shared.database.units import query, snapshot
from shared.database.weights import fitting, octets
from shared.errors.requests import Forbidden
from shared.models.chat import CHAT, ChatRow, chat_sessions
from shared.models.message import IS_OPEN, MESSAGE, MessageRow, has_status, messages
from shared.models.status import Status
from shared.models.user import ACCOUNT, Account, users


@dataclass(frozen=True)
class Changes:
    """A page of changes. The next page begins after `cursor`. Deleted rows are tombstones."""

    account: Account
    cursor: int
    chats: list[ChatRow] = field(default_factory=list)
    messages: list[MessageRow] = field(default_factory=list)
    has_more: bool = False
    #: True if the changes since then can't be told. The client reads everything anew, then follows from `cursor`.
    reset: bool = False


def changes_since(user_id: str, after: int | None, limit: int) -> Changes:
    """Read the rows with the next `limit` numbers after `after`, and every running reply.

    Without `after`, the answer has only the cursor. All rows are of one moment. Rows that share a number stay on one
    page, so a page may be longer than `limit`. A page of long texts ends earlier (D-104). Raises Forbidden if there is
    no such user.
    """
    with snapshot():
        owner = query(_account, {"user_id": user_id}).first()
        if owner is None:
            raise Forbidden  # the token outlived its user
        account = Account(*owner[:-1])
        if after is None:
            return Changes(account, account.seq)
        if not owner.pruned_seq <= after <= owner.seq:
            return Changes(account, account.seq, reset=True)
        return _page(account, after, limit)


def _page(account: Account, after: int, limit: int) -> Changes:
    since = {"user_id": account.user_id, "after": after}
    numbers = query(_numbers, since | {"most": limit + 1})
    most = fitting(number.octets for number in numbers[:limit])
    has_more = len(numbers) > most
    cursor = numbers[most - 1].seq if has_more else account.seq
    page = since | {"up_to": cursor}
    # every page has the running replies, because new text takes no number
    found = {row.id: row for row in [*query(_running, {"user_id": account.user_id}), *query(_messages, page)]}
    in_order = sorted(found.values(), key=lambda row: row.seq)
    return Changes(account, cursor, query(_chats, page), in_order, has_more)


class _Owner(NamedTuple):
    user_id: str
    credits: int
    held: int
    seq: int
    pruned_seq: int


class _Number(NamedTuple):
    seq: int
    octets: int


_there = (users.c.id == bindparam("user_id"), users.c.deleted_at.is_(None))
_account = Prepared(select(*ACCOUNT, users.c.pruned_seq).where(*_there), _Owner)
# The tombstone of a chat stands for those of its messages, however many (D-43). Messages of a deleted chat may still
# have their text, which the sweeper erases (D-117). The statement looks the chat up for each message. For an EXISTS, a
# database might read all chats.
_chat_deleted_at = (
    select(chat_sessions.c.deleted_at).where(chat_sessions.c.id == messages.c.chat_session_id).scalar_subquery()
)
_to_be_told = _chat_deleted_at.is_(None)


def _since(table: FromClause) -> Select[tuple[int]]:
    return select(table.c.seq).where(table.c.owner_id == bindparam("user_id"), table.c.seq > bindparam("after"))


def _first(rows: Select[tuple[int]], size: ColumnElement[int]) -> Select[tuple[int, int]]:
    """The first numbers of a table, each with the bytes of its texts."""
    sizes = rows.add_columns(func.sum(size).label("octets")).group_by("seq").order_by("seq").limit(bindparam("most"))
    return select(*sizes.subquery().c)


def _up_to(table: FromClause, columns: list[Any]) -> Select[Any]:
    rows = _since(table).where(table.c.seq <= bindparam("up_to")).order_by(table.c.seq)
    return rows.with_only_columns(*columns)


_found = union_all(
    _first(_since(chat_sessions), literal_column("0")),
    _first(_since(messages).where(_to_be_told), octets(messages.c.content)),
).subquery("numbers")
_numbers = Prepared(
    select(_found.c.seq, cast(func.sum(_found.c.octets), BigInteger).label("octets"))
    .group_by(_found.c.seq)
    .order_by(_found.c.seq)
    .limit(bindparam("most")),
    _Number,
)
_chats = Prepared(_up_to(chat_sessions, CHAT), ChatRow)
_messages = Prepared(_up_to(messages, MESSAGE).where(_to_be_told), MessageRow)
_running = Prepared(
    select(*MESSAGE).where(messages.c.owner_id == bindparam("user_id"), has_status(Status.RUNNING), IS_OPEN), MessageRow
)
