"""The worker processes that live, as each of them tells. `workers/presence.py` writes the rows."""

from sqlalchemy import BigInteger, String, Table, Uuid
from sqlalchemy.orm import Mapped, mapped_column

from shared.database.tables import Base

#: The kind of a process that claims replies.
WORKER = "worker"


class Worker(Base):
    """A process, and the time at which it was last seen: `seen_at` is `db_now()`."""

    __tablename__ = "workers"

    id: Mapped[str] = mapped_column(Uuid(as_uuid=False), primary_key=True)
    kind: Mapped[str] = mapped_column(String(16))
    seen_at: Mapped[int] = mapped_column(BigInteger)


workers: Table = Worker.metadata.tables["workers"]
