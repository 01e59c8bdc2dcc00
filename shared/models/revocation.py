"""The access tokens that are revoked before they expire. `shared/redis/revocations.py` says how a row is read."""

from typing import NamedTuple

from sqlalchemy import BigInteger, String, Table
from sqlalchemy.orm import Mapped, mapped_column

from shared.database.tables import Base


class Revocation(Base):
    """The tokens of a user or a sign-in that were issued up to `void_until` (seconds since 1970) are revoked."""

    __tablename__ = "revocations"

    subject: Mapped[str] = mapped_column(String(64), primary_key=True)
    void_until: Mapped[int] = mapped_column(BigInteger, index=True)


class RevocationRow(NamedTuple):
    """One row of the revocations."""

    subject: str
    void_until: int


revocations: Table = Revocation.metadata.tables["revocations"]
