"""The sign-ins. A refresh token, and every access token that came with it, is good while its sign-in lasts."""

from datetime import datetime

from sqlalchemy import ForeignKey, Table, Uuid
from sqlalchemy.orm import Mapped, mapped_column

from shared.database.clock import utc_now
from shared.database.tables import Base, UtcDateTime


class SignIn(Base):
    """One device that signed in; its tokens name the row in their claim `sid`. Each refresh moves `expires_at` on."""

    __tablename__ = "sign_ins"

    id: Mapped[str] = mapped_column(Uuid(as_uuid=False), primary_key=True)
    user_id: Mapped[str] = mapped_column(Uuid(as_uuid=False), ForeignKey("users.id"), index=True)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime, default=utc_now)
    expires_at: Mapped[datetime] = mapped_column(UtcDateTime, index=True)
    ended_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


sign_ins: Table = SignIn.metadata.tables["sign_ins"]
