"""The rows of running programs, which a test reads and changes beside them."""

from typing import Any

from sqlalchemy import Connection, Engine, NullPool, create_engine, update

from shared.database.clock import db_now
from shared.models.message import has_status, messages
from shared.models.status import Status


def engine_of(url: str) -> Engine:
    """An engine that keeps no connection open."""
    return create_engine(url.replace("postgresql://", "postgresql+psycopg://", 1), poolclass=NullPool)


def end_leases(connection: Connection, *which: Any, **values: Any) -> None:
    """Let the leases of these running replies lapse, and store the values. No living worker may have one of them."""
    lost = update(messages).where(has_status(Status.RUNNING), *which)
    connection.execute(lost.values(lease_until=db_now() - 1, **values))
