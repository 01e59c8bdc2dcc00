"""The Idempotency-Keys that were used. A row names the request and the rows that it made, and holds no text."""

from datetime import datetime
from typing import NamedTuple

from sqlalchemy import ForeignKey, String, Table, UniqueConstraint, Uuid
from sqlalchemy.orm import Mapped, mapped_column

from shared.database.clock import utc_now
from shared.database.tables import Base, UtcDateTime, new_id


class IdempotencyKey(Base):
    """One key of one user. `fingerprint` is a SHA-256 of method, path and body, as sent.

    The ids are of the rows that the request made: a message, a reply, both, or a chat.
    """

    __tablename__ = "idempotency_keys"
    __table_args__ = (UniqueConstraint("user_id", "key", name="one_use_per_key"),)

    id: Mapped[str] = mapped_column(Uuid(as_uuid=False), primary_key=True, default=new_id)
    user_id: Mapped[str] = mapped_column(Uuid(as_uuid=False), ForeignKey("users.id"))
    key: Mapped[str] = mapped_column(String(255))
    fingerprint: Mapped[str] = mapped_column(String(64))
    message_id: Mapped[str | None] = mapped_column(Uuid(as_uuid=False))
    reply_id: Mapped[str | None] = mapped_column(Uuid(as_uuid=False))
    chat_session_id: Mapped[str | None] = mapped_column(Uuid(as_uuid=False))
    created_at: Mapped[datetime] = mapped_column(UtcDateTime, default=utc_now, index=True)


class IdempotencyKeyRow(NamedTuple):
    """One row of the keys."""

    id: str
    user_id: str
    key: str
    fingerprint: str
    message_id: str | None
    reply_id: str | None
    chat_session_id: str | None
    created_at: datetime


idempotency_keys: Table = IdempotencyKey.metadata.tables["idempotency_keys"]
