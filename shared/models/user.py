"""A user, the balance, and `seq`: the counter that orders everything that the user can see."""

from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import CheckConstraint, ColumnElement, ScalarSelect, String, Table, Uuid, and_, bindparam, select
from sqlalchemy.orm import Mapped, mapped_column

from shared.database.clock import utc_now
from shared.database.prepared import Prepared
from shared.database.tables import Base, UtcDateTime, new_id
from shared.database.units import query
from shared.errors.requests import Unauthenticated

#: The role of an ordinary user, of the user that a development run makes, and of users who may write system messages.
USER, DEMO, ADMIN = "user", "demo", "admin"


class User(Base):
    """An owner of chats. `credits` are left to spend, and `held` are set aside for open replies (D-25)."""

    __tablename__ = "users"
    __table_args__ = (
        CheckConstraint("credits >= 0", name="credits_not_negative"),
        CheckConstraint("held >= 0", name="held_not_negative"),
    )

    id: Mapped[str] = mapped_column(Uuid(as_uuid=False), primary_key=True, default=new_id)
    email: Mapped[str] = mapped_column(String(254), unique=True)
    password_hash: Mapped[str | None] = mapped_column(String(255))
    role: Mapped[str] = mapped_column(String(16), default=USER)
    credits: Mapped[int] = mapped_column(default=0)
    held: Mapped[int] = mapped_column(default=0)
    seq: Mapped[int] = mapped_column(default=0)
    #: Tombstones up to this number may be gone. A client that was away for longer has to read everything anew.
    pruned_seq: Mapped[int] = mapped_column(default=0, server_default="0")
    created_at: Mapped[datetime] = mapped_column(UtcDateTime, default=utc_now)
    updated_at: Mapped[datetime] = mapped_column(UtcDateTime, default=utc_now, onupdate=utc_now)
    disabled_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    deleted_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


users: Table = User.metadata.tables["users"]
#: The columns of an Account.
ACCOUNT = (users.c.id.label("user_id"), users.c.credits, users.c.held, users.c.seq)
#: The condition that an account is neither deleted nor disabled. Its tokens may outlive that.
IN_USE = and_(users.c.deleted_at.is_(None), users.c.disabled_at.is_(None))


def owner_deleted_at(owner_id: ColumnElement[str] | str) -> ScalarSelect[Any]:
    """When this account was deleted. The sweeper may erase its rows later (D-117), but no answer may show them."""
    return select(users.c.deleted_at).where(users.c.id == owner_id).scalar_subquery()


class Account(NamedTuple):
    """A user's money and newest `seq`, as one statement read or left them."""

    user_id: str
    credits: int
    held: int
    seq: int

    def numbers(self, count: int) -> list[int]:
        """The `count` numbers that the statement took, lowest first: one for each durable event."""
        return list(range(self.seq - count + 1, self.seq + 1))


_find = select(*ACCOUNT).where(users.c.id == bindparam("user_id"))
_read = Prepared(_find, Account)
_read_in_use = Prepared(_find.where(IN_USE), Account)
_read_admin = Prepared(_find.where(users.c.role == ADMIN), Account)


def account_of(user_id: str) -> Account | None:
    """The user's money and newest `seq` as they are now; None without such a user."""
    return query(_read, {"user_id": user_id}).first()


def require_in_use(user_id: str) -> None:
    """Raises Unauthenticated if the account is deleted or disabled (D-31)."""
    if not query(_read_in_use, {"user_id": user_id}):
        raise Unauthenticated


def is_admin(user_id: str) -> bool:
    """Whether the user may write system messages."""
    return bool(query(_read_admin, {"user_id": user_id}))
