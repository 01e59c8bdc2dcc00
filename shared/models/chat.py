"""A chat session: one owner's conversation."""

import secrets
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import JSON, ForeignKey, Index, String, Table, Uuid, bindparam, case, select, text
from sqlalchemy.orm import Mapped, mapped_column

from shared.database.clock import utc_now
from shared.database.prepared import Prepared, Row
from shared.database.tables import Base, UtcDateTime, new_id
from shared.database.units import query
from shared.errors.requests import Forbidden, NotFound
from shared.text import clean

DEFAULT_TITLE = "New chat"
# Crockford's base 32 without letters that look alike: ten of them are 50 bits.
_DISPLAY_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"

_GONE = "deleted_at IS NOT NULL"


def new_display_id() -> str:
    """A short id that people can read out."""
    return "c-" + "".join(secrets.choice(_DISPLAY_ALPHABET) for _ in range(10))


class ChatSession(Base):
    """A conversation. `next_position` is where its next message goes; a deleted one stays as a tombstone."""

    __tablename__ = "chat_sessions"
    __table_args__ = (
        Index("ix_chat_sessions_owner_active", "owner_id", "last_active_at", "id"),
        Index("ix_chat_sessions_owner_updated", "owner_id", "updated_at", "id"),
        Index("ix_chat_sessions_owner_created", "owner_id", "created_at", "id"),
        Index("ix_chat_sessions_owner_seq", "owner_id", "seq"),
        Index("ix_chat_sessions_deleted", "deleted_at", postgresql_where=text(_GONE), sqlite_where=text(_GONE)),
    )

    id: Mapped[str] = mapped_column(Uuid(as_uuid=False), primary_key=True, default=new_id)
    display_id: Mapped[str] = mapped_column(String(16), unique=True, default=new_display_id)
    owner_id: Mapped[str] = mapped_column(Uuid(as_uuid=False), ForeignKey("users.id"))
    team_id: Mapped[str | None] = mapped_column(Uuid(as_uuid=False))
    repo_id: Mapped[str | None] = mapped_column(Uuid(as_uuid=False))
    document_id: Mapped[str | None] = mapped_column(Uuid(as_uuid=False))
    title: Mapped[str] = mapped_column(String(200), default=DEFAULT_TITLE)
    title_source: Mapped[str] = mapped_column(String(16), default="default")
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


chat_sessions: Table = ChatSession.metadata.tables["chat_sessions"]

#: `seen_seq` for a change that takes `:new_seq` and is nothing to read: what was read stays read.
STILL_SEEN = case(
    (chat_sessions.c.seen_seq < chat_sessions.c.seq, chat_sessions.c.seen_seq), else_=bindparam("new_seq")
)


def named_by(ref: str) -> tuple[str, str]:
    """Which column a client means with `ref`, the id or the display id, and the value to look for."""
    try:
        return "id", str(UUID(ref))
    except ValueError:
        return "display_id", clean(ref)[:16].lower()


_owned_by = {
    column: Prepared(
        select(chat_sessions).where(
            chat_sessions.c.owner_id == bindparam("user_id"), chat_sessions.c[column] == bindparam("chat_ref")
        )
    )
    for column in ("id", "display_id")
}


def find_chat(user_id: str, ref: str) -> Row:
    """A chat of this user's.

    Raises NotFound if it was theirs and is deleted, Forbidden for anybody else's and for what never was.
    """
    column, value = named_by(ref)
    rows = query(_owned_by[column], {"user_id": user_id, "chat_ref": value})
    if not rows:
        raise Forbidden
    if rows[0].deleted_at is not None:
        raise NotFound
    return rows[0]
