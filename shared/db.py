"""The database: sessions, units of work, its clock, and the migration to the newest schema.

The tables live in `shared/models/`, what a connection is in `shared/connections.py`.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import uuid_utils
from alembic import command
from alembic.config import Config
from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import BigInteger, Connection, DateTime, Dialect, Engine, Executable, String, event
from sqlalchemy.exc import InternalError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.orm import DeclarativeBase
from sqlalchemy.sql.functions import FunctionElement
from sqlalchemy.types import TypeDecorator

from shared.statements import Prepared, Rows

#: What is raised while the database is away, restarts, or is locked for too long. Nothing was done, or nobody knows.
#: A server that only reads raises an InternalError, and one that gave up an idle unit.
DATABASE_AWAY = (OperationalError, InternalError, PoolTimeout)

#: What fills a statement's parameters: one row, or many.
Values = Mapping[str, Any] | Sequence[Mapping[str, Any]] | None


class Base(DeclarativeBase):
    """What every table's class inherits from."""


db = SQLAlchemy(model_class=Base, session_options={"expire_on_commit": False})


@event.listens_for(Engine, "begin")
def _begin_sqlite(connection: Any) -> None:
    if connection.dialect.name == "sqlite":
        mode = connection.get_execution_options().get("sqlite_begin", "DEFERRED")
        connection.exec_driver_sql(f"BEGIN {mode}")


# The connection of the unit that this thread is in.
_unit: ContextVar[Connection | None] = ContextVar("unit", default=None)


@contextmanager
def write_unit() -> Iterator[Connection]:
    """One transaction that writes: commits at the end, rolls back on any exception.

    Takes SQLite's write lock at its beginning, so that what it reads cannot change under it. No network call
    belongs inside. Statements go through execute(), which costs less than an ORM session.
    """
    with db.engine.connect() as connection:
        if connection.dialect.name == "sqlite":
            connection.execution_options(sqlite_begin="IMMEDIATE")
        with connection.begin():
            token = _unit.set(connection)
            try:
                yield connection
            finally:
                _unit.reset(token)


@contextmanager
def snapshot() -> Iterator[None]:
    """One transaction that reads: each query() inside sees everything as of the same moment."""
    with db.engine.connect() as connection:
        if connection.dialect.name == "postgresql":
            connection.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
        with connection.begin():
            token = _unit.set(connection)
            try:
                yield
            finally:
                _unit.reset(token)


def allow_minutes() -> None:
    """Let each statement of this unit take ten minutes, not ten seconds: for what is rare, large and in one piece."""
    connection = _unit.get()
    assert connection is not None
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql("SET LOCAL statement_timeout = '10min'")


def execute(statement: Executable | Prepared, values: Values = None) -> Rows:
    """Run a statement as part of the unit that this thread is in."""
    connection = _unit.get()
    assert connection is not None, "execute() belongs inside a write_unit(); query() works anywhere"
    return _run(connection, statement, values)


def query(statement: Executable | Prepared, values: Values = None) -> Rows:
    """Run a statement as part of the unit that this thread is in, else as a transaction of its own."""
    if connection := _unit.get():
        return _run(connection, statement, values)
    with db.engine.connect() as connection:
        if connection.dialect.name == "postgresql":  # spares the round trips of BEGIN and COMMIT
            connection.execution_options(isolation_level="AUTOCOMMIT")
        rows = _run(connection, statement, values)
        connection.commit()
        return rows


def _run(connection: Connection, statement: Executable | Prepared, values: Values) -> Rows:
    if isinstance(statement, Prepared):
        assert isinstance(values, Mapping)
        return statement.run(connection, values)
    result = connection.execute(statement, values)
    return Rows(result) if result.returns_rows else Rows()


class db_now(FunctionElement[int]):
    """The database's own clock, in milliseconds since 1970. Decides leases, turns and deadlines."""

    type = BigInteger()
    inherit_cache = True


@compiles(db_now, "postgresql")
def _postgres_now(*_: Any, **__: Any) -> str:
    # now() would be the transaction's start
    return "(extract(epoch from clock_timestamp()) * 1000)::bigint"


@compiles(db_now, "sqlite")
def _sqlite_now(*_: Any, **__: Any) -> str:
    return "cast((julianday('now') - 2440587.5) * 86400000 as integer)"


class commit_lightly(FunctionElement[str]):
    """In what a statement returns: its transaction's commit does not wait for the disk.

    Only for what a crash of the database server may take back.
    """

    type = String()
    inherit_cache = True


@compiles(commit_lightly, "postgresql")
def _postgres_commit_lightly(*_: Any, **__: Any) -> str:
    return "set_config('synchronous_commit', 'off', true)"  # true: for this transaction only


@compiles(commit_lightly, "sqlite")
def _sqlite_commit_lightly(*_: Any, **__: Any) -> str:
    return "null"


class UtcDateTime(TypeDecorator[datetime]):
    """A moment in UTC. SQLite keeps no time zone, so it is put back when read."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is not None and value.tzinfo is None:
            return value.replace(tzinfo=UTC)
        return value


def utc_now() -> datetime:
    """This machine's clock; for what people read, never for a decision."""
    return datetime.now(UTC)


def new_id() -> str:
    """A UUIDv7: unique, and sorted by time."""
    return str(uuid_utils.uuid7())


def migrate(database_url: str) -> None:
    """Bring the schema of this database to the newest version; does nothing if it is there."""
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    config.attributes["database_url"] = database_url
    command.upgrade(config, "head")
