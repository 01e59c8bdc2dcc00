"""The ledger: every credit that came or went. Rows are only ever added. The balance is their sum."""

from datetime import datetime
from typing import NamedTuple

from sqlalchemy import ForeignKey, Index, String, Table, UniqueConstraint, Uuid, insert
from sqlalchemy.orm import Mapped, mapped_column

from shared.database.clock import utc_now
from shared.database.prepared import NoRow, Prepared
from shared.database.tables import Base, UtcDateTime, new_id
from shared.database.units import execute

GRANT = "grant"  # given: at sign-up, by a plan, by an operator; `ref` names the occasion
HOLD = "hold"  # set aside when a message is accepted; `ref` is the reply
RELEASE = "release"  # given back when that reply did not complete; `ref` is the reply


class CreditEntry(Base):
    """One movement. UNIQUE (user, kind, ref) makes a second hold or release of a reply impossible."""

    __tablename__ = "credit_entries"
    __table_args__ = (
        UniqueConstraint("user_id", "kind", "ref", name="one_entry_per_occasion"),
        Index("ix_credit_entries_user_created", "user_id", "created_at"),
    )

    id: Mapped[str] = mapped_column(Uuid(as_uuid=False), primary_key=True, default=new_id)
    user_id: Mapped[str] = mapped_column(Uuid(as_uuid=False), ForeignKey("users.id"))
    delta: Mapped[int]
    kind: Mapped[str] = mapped_column(String(16))
    ref: Mapped[str] = mapped_column(String(64))
    created_at: Mapped[datetime] = mapped_column(UtcDateTime, default=utc_now)


class CreditEntryRow(NamedTuple):
    """One row of the ledger."""

    id: str
    user_id: str
    delta: int
    kind: str
    ref: str
    created_at: datetime


credit_entries: Table = CreditEntry.metadata.tables["credit_entries"]
_insert = Prepared(insert(credit_entries), NoRow, columns=CreditEntryRow._fields)


def record(user_id: str, kind: str, delta: int, ref: str) -> None:
    """Add an entry. `owner_unit()` moves the balance in the same transaction."""
    execute(_insert, CreditEntryRow(new_id(), user_id, delta, kind, ref, utc_now())._asdict())
