"""The deletions whose text is not all erased yet. `shared/actions/messages/erasures.py` writes the rows."""

from typing import NamedTuple

from sqlalchemy import BigInteger, ForeignKey, Table, Uuid
from sqlalchemy.orm import Mapped, mapped_column

from shared.database.tables import Base


class Erasure(Base):
    """The chat or account `id` is deleted, and the sweeper erases the rest of its rows. The last batch ends the row.

    Erased rows get the number `seq`. The places of its rows go up to `last`, and everything up to the place `reached`
    is erased. A place is a position in a chat, or a number in an account.
    """

    __tablename__ = "erasures"

    id: Mapped[str] = mapped_column(Uuid(as_uuid=False), primary_key=True)
    owner_id: Mapped[str] = mapped_column(Uuid(as_uuid=False), ForeignKey("users.id"))
    seq: Mapped[int]
    last: Mapped[int] = mapped_column(BigInteger)
    reached: Mapped[int] = mapped_column(BigInteger)


class ErasureRow(NamedTuple):
    """One row of the erasures."""

    id: str
    owner_id: str
    seq: int
    last: int
    reached: int


erasures: Table = Erasure.metadata.tables["erasures"]
