"""A chat session: one owner's conversation."""

import secrets
from datetime import datetime
from enum import StrEnum
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import (
    JSON,
    ColumnElement,
    ForeignKey,
    Index,
    ScalarSelect,
    String,
    Table,
    Uuid,
    bindparam,
    case,
    func,
    select,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from shared.database.clock import utc_now
from shared.database.prepared import Prepared, columns_of
from shared.database.tables import Base, UtcDateTime, new_id
from shared.database.units import query
from shared.errors.requests import Forbidden, NotFound
from shared.models.user import owner_deleted_at
from shared.text import clean

DEFAULT_TITLE = "New chat"


class TitleSource(StrEnum):
    """Where a title comes from. A user's title is never overwritten."""

    DEFAULT = "default"
    GENERATED = "generated"
    USER = "user"


# Crockford's base 32 has no letters that look alike. Ten characters hold 50 bits.
_DISPLAY_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"

_GONE = "deleted_at IS NOT NULL"
# A list shows chats of one of these kinds, in one of these orders (D-159).
_KINDS = {
    "listed": "deleted_at IS NULL AND archived_at IS NULL",
    "archived": "deleted_at IS NULL AND archived_at IS NOT NULL",
}
_SORTS = {"active": "last_active_at", "updated": "updated_at", "created": "created_at"}
_FILTERS = ("team_id", "repo_id", "document_id")
_NEWEST = ("last_active_at", "id", "archived_at")


def _index(name: str, *columns: str, where: str) -> Index:
    return Index(f"ix_chat_sessions_{name}", *columns, postgresql_where=text(where), sqlite_where=text(where))


def new_display_id() -> str:
    """A short id that people can read out."""
    return "c-" + "".join(secrets.choice(_DISPLAY_ALPHABET) for _ in range(10))


class ChatSession(Base):
    """A conversation. Its next message goes to `next_position`. A deleted conversation stays as a tombstone."""

    __tablename__ = "chat_sessions"
    __table_args__ = (
        *(
            # the filters stand last: a page passes over other chats without a look into the table (D-211)
            _index(f"{kind}_{sort}", "owner_id", column, "id", *_FILTERS, where=where)
            for kind, where in _KINDS.items()
            for sort, column in _SORTS.items()
        ),
        *(_index(of, "owner_id", of, *_NEWEST, where=f"deleted_at IS NULL AND {of} IS NOT NULL") for of in _FILTERS),
        Index("ix_chat_sessions_owner_seq", "owner_id", "seq"),
        _index("deleted", "deleted_at", where=_GONE),
    )

    id: Mapped[str] = mapped_column(Uuid(as_uuid=False), primary_key=True, default=new_id)
    display_id: Mapped[str] = mapped_column(String(16), unique=True, default=new_display_id)
    owner_id: Mapped[str] = mapped_column(Uuid(as_uuid=False), ForeignKey("users.id"))
    team_id: Mapped[str | None] = mapped_column(Uuid(as_uuid=False))
    repo_id: Mapped[str | None] = mapped_column(Uuid(as_uuid=False))
    document_id: Mapped[str | None] = mapped_column(Uuid(as_uuid=False))
    title: Mapped[str] = mapped_column(String(200), default=DEFAULT_TITLE)
    title_source: Mapped[str] = mapped_column(String(16), default=TitleSource.DEFAULT)
    #: The message from which a model made the title.
    title_from: Mapped[str | None] = mapped_column(Uuid(as_uuid=False))
    #: How many completed replies have asked for a title.
    title_tries: Mapped[int] = mapped_column(default=0, server_default="0")
    settings: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    next_position: Mapped[int] = mapped_column(default=0)
    seq: Mapped[int] = mapped_column(default=0)
    seen_seq: Mapped[int] = mapped_column(default=0)
    last_active_at: Mapped[datetime] = mapped_column(UtcDateTime, default=utc_now)
    archived_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    parked_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime, default=utc_now)
    updated_at: Mapped[datetime] = mapped_column(UtcDateTime, default=utc_now)
    deleted_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class ChatRow(NamedTuple):
    """One row of the chats, with the columns of ChatSession."""

    id: str
    display_id: str
    owner_id: str
    team_id: str | None
    repo_id: str | None
    document_id: str | None
    title: str
    title_source: str
    title_from: str | None
    title_tries: int
    settings: dict[str, Any]
    next_position: int
    seq: int
    seen_seq: int
    last_active_at: datetime
    archived_at: datetime | None
    parked_at: datetime | None
    created_at: datetime
    updated_at: datetime
    deleted_at: datetime | None


chat_sessions: Table = ChatSession.metadata.tables["chat_sessions"]
#: The columns of a ChatRow.
CHAT = columns_of(ChatRow, chat_sessions)

#: `seen_seq` for a change that takes `:new_seq` and brings nothing to read. A chat that was read stays read (D-45).
STILL_SEEN = case(
    (chat_sessions.c.seen_seq < chat_sessions.c.seq, chat_sessions.c.seen_seq), else_=bindparam("new_seq")
)

#: When a chat was deleted, itself or with its account.
CHAT_DELETED_AT = func.coalesce(chat_sessions.c.deleted_at, owner_deleted_at(chat_sessions.c.owner_id))

_owned_by = {
    column: Prepared(
        select(*columns_of(ChatRow, chat_sessions, deleted_at=CHAT_DELETED_AT)).where(
            chat_sessions.c.owner_id == bindparam("user_id"), chat_sessions.c[column] == bindparam("chat_ref")
        ),
        ChatRow,
    )
    for column in ("id", "display_id")
}


def find_chat(user_id: str, ref: str) -> ChatRow:
    """Find a chat of this user.

    Raises NotFound if the user's chat is deleted. Raises Forbidden for another user's chat, and if there never was one.
    """
    column, value = named_by(ref)
    chat = query(_owned_by[column], {"user_id": user_id, "chat_ref": value}).first()
    if chat is None:
        raise Forbidden
    if chat.deleted_at is not None:
        raise NotFound
    return chat


def chat_deleted_at(chat_id: ColumnElement[str] | str) -> ScalarSelect[Any]:
    """When this chat was deleted, for a statement that reads its messages.

    The sweeper may erase them later (D-117). An earlier statement cannot tell: a deletion may come in between (D-132).
    """
    return select(CHAT_DELETED_AT).where(chat_sessions.c.id == chat_id).scalar_subquery()


def named_by(ref: str) -> tuple[str, str]:
    """The column that a client means by `ref`, `id` or `display_id`, and the value to look for."""
    try:
        return "id", str(UUID(ref))
    except ValueError:
        return "display_id", clean(ref)[:16].lower()
