"""Reads whole conversations of a user, page by page. No transaction stays open between two pages.

Each page is as of its own moment. A chat or an account that is deleted meanwhile has no further pages.
"""

from collections.abc import Iterator
from datetime import UTC, datetime
from uuid import UUID

from sqlalchemy import ColumnElement, Select, bindparam, select, tuple_, union_all

from shared.database.prepared import Prepared, Rows
from shared.database.retries import retried
from shared.database.units import query
from shared.database.weights import fitting, octets
from shared.models.chat import CHAT, ChatRow, chat_sessions
from shared.models.message import MESSAGE, MessageRow, messages
from shared.models.user import IN_USE, users

# Rows of a page, and bytes of its texts. A longer text is alone on its page.
_CHATS, _MESSAGES, _BYTES = 50, 100, 128 * 1024
# Before all chats, and before all positions.
_FIRST_CHAT, _FIRST_POSITION = (datetime(1, 1, 1, tzinfo=UTC), str(UUID(int=0))), -1


def own_chats(user_id: str) -> Iterator[ChatRow]:
    """The chats of the user, archived or not, oldest first."""
    after = _FIRST_CHAT
    while page := _chats_after(user_id, *after):
        yield from page
        after = page[-1].created_at, page[-1].id


def messages_of(chat: ChatRow) -> Iterator[Rows[MessageRow]]:
    """The messages that the chat has by now, in pages by position, with versions that are not shown."""
    after = _FIRST_POSITION
    while page := _messages_after(chat, after):
        yield page
        after = page[-1].position


@retried
def _chats_after(user_id: str, created_at: datetime, chat_id: str) -> Rows[ChatRow]:
    return query(_chats, {"user_id": user_id, "after_time": created_at, "after_id": chat_id})


@retried
def _messages_after(chat: ChatRow, position: int) -> Rows[MessageRow]:
    values = {"chat_id": chat.id, "after": position, "end": chat.next_position}
    most = fitting(query(_sizes, values | {"most": _MESSAGES}).scalars(), _BYTES)
    return query(_messages, values | {"most": most})


def _some_chats(archived: ColumnElement[bool]) -> Select[tuple[object, ...]]:
    """A page of one kind of chats. Each kind has an index of its own."""
    after = tuple_(bindparam("after_time", type_=chat_sessions.c.created_at.type), bindparam("after_id", type_=_Id))
    order = (chat_sessions.c.created_at, chat_sessions.c.id)
    some = select(*CHAT).where(
        chat_sessions.c.owner_id == bindparam("user_id"),
        chat_sessions.c.deleted_at.is_(None),
        archived,
        tuple_(*order) > after,
        select(users.c.id).where(users.c.id == bindparam("user_id"), IN_USE).exists(),
    )
    return select(*some.order_by(*order).limit(_CHATS).subquery().c)


_Id = chat_sessions.c.id.type
_both = union_all(
    _some_chats(chat_sessions.c.archived_at.is_(None)), _some_chats(chat_sessions.c.archived_at.is_not(None))
).subquery("both_kinds")
_chats = Prepared(
    select(*(_both.c[name] for name in ChatRow._fields)).order_by(_both.c.created_at, _both.c.id).limit(_CHATS), ChatRow
)
_still_there = (
    select(chat_sessions.c.id)
    .join(users, users.c.id == chat_sessions.c.owner_id)
    .where(chat_sessions.c.id == bindparam("chat_id"), chat_sessions.c.deleted_at.is_(None), IN_USE)
    .exists()
)
_page = (
    select(*MESSAGE)
    .where(
        messages.c.chat_session_id == bindparam("chat_id"),
        messages.c.position > bindparam("after"),
        messages.c.position < bindparam("end"),
        messages.c.deleted_at.is_(None),
        _still_there,
    )
    .order_by(messages.c.position)
    .limit(bindparam("most"))
)
_messages = Prepared(_page, MessageRow)
_sizes = _page.with_only_columns(octets(messages.c.content))
