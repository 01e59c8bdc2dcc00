"""A user, the balance, and `seq`, the counter that puts everything the user can see in order."""

from dataclasses import dataclass
from datetime import datetime
from typing import Self

from sqlalchemy import CheckConstraint, String, Table, Uuid, bindparam, select, update
from sqlalchemy.orm import Mapped, mapped_column

from shared.database.clock import utc_now
from shared.database.prepared import Prepared, Row
from shared.database.tables import Base, UtcDateTime, new_id
from shared.database.units import execute, query
from shared.errors.requests import Unauthenticated

#: The role of the user that a development run makes.
DEMO = "demo"


class User(Base):
    """Who owns chats. `credits` is what is left to spend, `held` what running replies have set aside."""

    __tablename__ = "users"
    __table_args__ = (
        CheckConstraint("credits >= 0", name="credits_not_negative"),
        CheckConstraint("held >= 0", name="held_not_negative"),
    )

    id: Mapped[str] = mapped_column(Uuid(as_uuid=False), primary_key=True, default=new_id)
    email: Mapped[str] = mapped_column(String(254), unique=True)
    password_hash: Mapped[str | None] = mapped_column(String(255))
    role: Mapped[str] = mapped_column(String(16), default="user")
    credits: Mapped[int] = mapped_column(default=0)
    held: Mapped[int] = mapped_column(default=0)
    seq: Mapped[int] = mapped_column(default=0)
    #: Tombstones up to this number may be gone: who was away since before it has to read everything anew.
    pruned_seq: Mapped[int] = mapped_column(default=0, server_default="0")
    created_at: Mapped[datetime] = mapped_column(UtcDateTime, default=utc_now)
    updated_at: Mapped[datetime] = mapped_column(UtcDateTime, default=utc_now, onupdate=utc_now)
    disabled_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    deleted_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


users: Table = User.metadata.tables["users"]
_columns = (users.c.id, users.c.credits, users.c.held, users.c.seq)
_find = select(*_columns).where(users.c.id == bindparam("user_id"))
_in_use = (users.c.deleted_at.is_(None), users.c.disabled_at.is_(None))
_read = Prepared(_find)
_read_in_use = Prepared(_find.where(*_in_use))
_lock = Prepared(_find.with_for_update(key_share=True))
_change = (
    update(users)
    .where(
        users.c.id == bindparam("user_id"), users.c.credits >= bindparam("spend"), users.c.held >= -bindparam("hold")
    )
    .values(
        seq=users.c.seq + bindparam("events"),
        credits=users.c.credits - bindparam("spend"),
        held=users.c.held + bindparam("hold"),
        updated_at=bindparam("at"),
    )
    .returning(*_columns)
)
_move = Prepared(_change)
_act = Prepared(_change.where(*_in_use))


@dataclass(frozen=True)
class Account:
    """A user's money and newest `seq`, as of one statement that changed them."""

    user_id: str
    credits: int
    held: int
    seq: int

    @classmethod
    def of(cls, row: Row | None) -> Self | None:
        """The account that a row holds, if there is one."""
        return cls(row.id, row.credits, row.held, row.seq) if row else None

    def numbers(self, count: int) -> list[int]:
        """The `count` numbers that the statement took, lowest first: one per durable event."""
        return list(range(self.seq - count + 1, self.seq + 1))


def lock_owner(user_id: str) -> Account | None:
    """Take the user's row lock, the first lock of every unit that changes what the user can see."""
    return Account.of(execute(_lock, {"user_id": user_id}).first())


def account_of(user_id: str) -> Account | None:
    """The user's money as it is now."""
    return Account.of(query(_read, {"user_id": user_id}).first())


def move(user_id: str, *, events: int, spend: int = 0, hold: int = 0) -> Account | None:
    """Lock the row, take `events` numbers, take `spend` from the balance and add `hold` to what is held.

    None, with nothing changed, if the balance does not cover it, or if what is to be returned is not held.
    """
    return _moved(_move, user_id, events, spend, hold)


def act(user_id: str, *, events: int, spend: int = 0, hold: int = 0) -> Account | None:
    """move() for what the user does.

    Raises Unauthenticated, with nothing changed, if the account is deleted or disabled: its tokens live longer.
    """
    account = _moved(_act, user_id, events, spend, hold)
    if account is None:
        require_in_use(user_id)
    return account


def require_in_use(user_id: str) -> None:
    """Raises Unauthenticated if the account is deleted or disabled."""
    if not query(_read_in_use, {"user_id": user_id}):
        raise Unauthenticated


def _moved(statement: Prepared, user_id: str, events: int, spend: int, hold: int) -> Account | None:
    values = {"user_id": user_id, "events": events, "spend": spend, "hold": hold, "at": utc_now()}
    return Account.of(execute(statement, values).first())
