"""What has changed for a user since a number of `seq`: the rows as they are now, a page at a time.

Never asks Redis; the text of running replies that is not in the rows yet is the caller's to add.
"""

from dataclasses import dataclass, field

from sqlalchemy import FromClause, Select, bindparam, or_, select

from shared.database.prepared import Prepared, Row
from shared.database.units import query, snapshot
from shared.errors.requests import Forbidden
from shared.models.chat import chat_sessions
from shared.models.message import IS_OPEN, Status, messages
from shared.models.user import Account, users

_account = Prepared(
    select(users.c.id, users.c.credits, users.c.held, users.c.seq, users.c.pruned_seq).where(
        users.c.id == bindparam("user_id")
    )
)
# The tombstone of a chat stands for those of its messages, however many. Looked up for each message that is deleted:
# an EXISTS might be answered by reading all chats there are.
_chat_deleted_at = (
    select(chat_sessions.c.deleted_at).where(chat_sessions.c.id == messages.c.chat_session_id).scalar_subquery()
)
_to_be_told = or_(messages.c.deleted_at.is_(None), _chat_deleted_at.is_(None))


def _since(table: FromClause) -> Select[tuple[int]]:
    return select(table.c.seq).where(table.c.owner_id == bindparam("user_id"), table.c.seq > bindparam("after"))


def _first(numbers: Select[tuple[int]]) -> Select[tuple[int]]:
    return select(numbers.distinct().order_by("seq").limit(bindparam("most")).subquery().c.seq)


def _up_to(table: FromClause) -> Select[tuple[int]]:
    rows = _since(table).where(table.c.seq <= bindparam("up_to")).order_by(table.c.seq)
    return rows.with_only_columns(*table.c)


_numbers = Prepared(
    select(_first(_since(chat_sessions)).union(_first(_since(messages).where(_to_be_told))).subquery("numbers").c.seq)
    .order_by("seq")
    .limit(bindparam("most"))
)
_chats = Prepared(_up_to(chat_sessions))
_messages = Prepared(_up_to(messages).where(_to_be_told))
_open = Prepared(select(messages).where(messages.c.owner_id == bindparam("user_id"), IS_OPEN))


@dataclass(frozen=True)
class Changes:
    """A page of changes. `cursor` is where the next one begins; deleted rows are tombstones."""

    account: Account
    cursor: int
    chats: list[Row] = field(default_factory=list)
    messages: list[Row] = field(default_factory=list)
    has_more: bool = False
    #: What happened since can't be told any more: everything has to be read anew, then followed from `cursor`.
    reset: bool = False


def changes_since(user_id: str, after: int | None, limit: int) -> Changes:
    """The rows with the next `limit` numbers after `after`, and every running reply; only the cursor without `after`.

    As of one moment. A number is never split between two pages, so a page may be longer. Raises Forbidden.
    """
    with snapshot():
        user = query(_account, {"user_id": user_id}).first()
        account = Account.of(user)
        if user is None or account is None:
            raise Forbidden  # the token outlived its user
        if after is None:
            return Changes(account, account.seq)
        if not user.pruned_seq <= after <= user.seq:
            return Changes(account, account.seq, reset=True)
        return _page(account, after, limit)


def _page(account: Account, after: int, limit: int) -> Changes:
    since = {"user_id": account.user_id, "after": after}
    numbers = query(_numbers, since | {"most": limit + 1}).scalars()
    has_more = len(numbers) > limit
    cursor = numbers[limit - 1] if has_more else account.seq
    page = since | {"up_to": cursor}
    found = {row.id: row for row in [*_running(account.user_id), *query(_messages, page)]}
    in_order = sorted(found.values(), key=lambda row: row.seq)
    return Changes(account, cursor, query(_chats, page), in_order, has_more)


def _running(user_id: str) -> list[Row]:
    """Whatever their numbers, since text takes none."""
    return [row for row in query(_open, {"user_id": user_id}) if row.status == Status.RUNNING]
