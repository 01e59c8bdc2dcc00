"""A message; a reply has a state as well. `shared/actions/replies/states.py` has every guard and transition."""

from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import (
    JSON,
    BigInteger,
    ColumnElement,
    ForeignKey,
    FromClause,
    String,
    Table,
    Text,
    Uuid,
    bindparam,
    func,
    literal_column,
    select,
)
from sqlalchemy.orm import Mapped, mapped_column

from shared.database.clock import utc_now
from shared.database.prepared import Prepared, columns_of
from shared.database.tables import Base, UtcDateTime, new_id
from shared.database.units import query
from shared.errors.requests import Forbidden, NotFound
from shared.models.chat import chat_deleted_at
from shared.models.message_indexes import INDEXES
from shared.models.status import Status


class Message(Base):
    """One message of a chat. The columns from `attempt` on are for replies. BIGINT times are `db_now()`.

    Every later version names the first one in `version_of`, and one version at most is `shown` (D-143). A reply that
    `continues` another begins with that one's text, which has `kept` characters.
    """

    __tablename__ = "messages"
    __table_args__ = INDEXES

    id: Mapped[str] = mapped_column(Uuid(as_uuid=False), primary_key=True, default=new_id)
    chat_session_id: Mapped[str] = mapped_column(Uuid(as_uuid=False), ForeignKey("chat_sessions.id"))
    owner_id: Mapped[str] = mapped_column(Uuid(as_uuid=False), ForeignKey("users.id"))
    position: Mapped[int]
    message_type: Mapped[str] = mapped_column(String(16))
    status: Mapped[str] = mapped_column(String(16))
    content: Mapped[str] = mapped_column(Text, default="")
    reply_to: Mapped[str | None] = mapped_column(Uuid(as_uuid=False))
    version: Mapped[int] = mapped_column(default=1)
    shown: Mapped[bool] = mapped_column(default=True)
    version_of: Mapped[str | None] = mapped_column(Uuid(as_uuid=False))
    continues: Mapped[str | None] = mapped_column(Uuid(as_uuid=False))
    kept: Mapped[int] = mapped_column(default=0, server_default="0")
    model: Mapped[str | None] = mapped_column(String(200))
    finish_reason: Mapped[str | None] = mapped_column(String(32))
    error_code: Mapped[str | None] = mapped_column(String(64))
    tokens_in: Mapped[int | None]
    tokens_out: Mapped[int | None]
    credits_held: Mapped[int] = mapped_column(default=0)
    credits_charged: Mapped[int] = mapped_column(default=0)
    changes: Mapped[list[Any] | None] = mapped_column(JSON)
    seq: Mapped[int]
    created_at: Mapped[datetime] = mapped_column(UtcDateTime, default=utc_now)
    updated_at: Mapped[datetime] = mapped_column(UtcDateTime, default=utc_now)
    deleted_at: Mapped[datetime | None] = mapped_column(UtcDateTime)

    attempt: Mapped[int] = mapped_column(default=0)
    failures: Mapped[int] = mapped_column(default=0)
    drains: Mapped[int] = mapped_column(default=0)
    handovers: Mapped[int] = mapped_column(default=0)
    claimed_by: Mapped[str | None] = mapped_column(String(64))
    lease_until: Mapped[int | None] = mapped_column(BigInteger)
    not_before: Mapped[int | None] = mapped_column(BigInteger)
    dispatched_at: Mapped[int | None] = mapped_column(BigInteger)
    deadline_at: Mapped[int | None] = mapped_column(BigInteger)
    hand_over_at: Mapped[int | None] = mapped_column(BigInteger)
    live_index: Mapped[int] = mapped_column(default=0)
    started_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    first_text_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    completed_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class MessageRow(NamedTuple):
    """One row of the messages, with the columns of Message. Columns that may be empty stand last."""

    id: str
    chat_session_id: str
    owner_id: str
    position: int
    message_type: str
    status: str
    content: str
    version: int
    shown: bool
    kept: int
    credits_held: int
    credits_charged: int
    seq: int
    created_at: datetime
    updated_at: datetime
    attempt: int
    failures: int
    drains: int
    handovers: int
    live_index: int
    reply_to: str | None = None
    version_of: str | None = None
    continues: str | None = None
    model: str | None = None
    finish_reason: str | None = None
    error_code: str | None = None
    tokens_in: int | None = None
    tokens_out: int | None = None
    changes: list[Any] | None = None
    deleted_at: datetime | None = None
    claimed_by: str | None = None
    lease_until: int | None = None
    not_before: int | None = None
    dispatched_at: int | None = None
    deadline_at: int | None = None
    hand_over_at: int | None = None
    started_at: datetime | None = None
    first_text_at: datetime | None = None
    completed_at: datetime | None = None


messages: Table = Message.metadata.tables["messages"]
#: The columns of a MessageRow.
MESSAGE = columns_of(MessageRow, messages)


def is_open(table: FromClause = messages) -> ColumnElement[bool]:
    """The condition that a message is an open reply. A database uses the index only for these very words."""
    return table.c.status.in_([literal_column("'pending'"), literal_column("'running'")])


IS_OPEN = is_open()


def has_status(status: Status, table: FromClause = messages) -> ColumnElement[bool]:
    """The condition that a message is in this state.

    The status is written out, not bound. Otherwise PostgreSQL's plan for any value could not use the index of open
    replies (D-62).
    """
    return table.c.status == literal_column(f"'{status}'", String())


_deleted_at = func.coalesce(messages.c.deleted_at, chat_deleted_at(messages.c.chat_session_id))
_in_chat = Prepared(
    select(*columns_of(MessageRow, messages, deleted_at=_deleted_at)).where(
        messages.c.chat_session_id == bindparam("chat_id"), messages.c.id == bindparam("message_id")
    ),
    MessageRow,
)


def find_message(chat_id: str, message_id: str) -> MessageRow:
    """Find a message of this chat. The caller has found the chat, so the chat is the user's.

    Raises NotFound if the message, its chat or its account is deleted by now. Raises Forbidden for another chat's
    message, and if there never was one.
    """
    try:
        values = {"chat_id": chat_id, "message_id": str(UUID(message_id))}
    except ValueError as error:
        raise Forbidden from error
    message = query(_in_chat, values).first()
    if message is None:
        raise Forbidden
    if message.deleted_at is not None:
        raise NotFound
    return message
