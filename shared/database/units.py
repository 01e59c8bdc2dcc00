"""Units: one transaction each, and the way in which every statement runs inside one or alone."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, overload

from sqlalchemy import Connection, Engine, Executable, String, event
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import FunctionElement

from shared.database.prepared import Prepared, R, Rows, require_fields, typed
from shared.database.tables import db

#: The values of a statement's parameters: one row, or many.
Values = Mapping[str, Any] | Sequence[Mapping[str, Any]] | None


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


@overload
def execute(statement: Prepared[R], values: Values = None) -> Rows[R]: ...
@overload
def execute(statement: Executable, values: Values = None) -> Rows[tuple[Any, ...]]: ...
@overload
def execute(statement: Executable, values: Values = None, *, row: type[R]) -> Rows[R]: ...
def execute(statement: Executable | Prepared[Any], values: Values = None, *, row: Any = None) -> Rows[Any]:
    """Run a statement as part of the unit that this thread is in. `row` is the type of the rows that it returns."""
    connection = _unit.get()
    assert connection is not None, "execute() belongs inside a write_unit(); query() works anywhere"
    return _run(connection, statement, values, row)


@overload
def query(statement: Prepared[R], values: Values = None) -> Rows[R]: ...
@overload
def query(statement: Executable, values: Values = None) -> Rows[tuple[Any, ...]]: ...
@overload
def query(statement: Executable, values: Values = None, *, row: type[R]) -> Rows[R]: ...
def query(statement: Executable | Prepared[Any], values: Values = None, *, row: Any = None) -> Rows[Any]:
    """Run a statement as execute() does, or outside of any unit as a transaction of its own."""
    if connection := _unit.get():
        return _run(connection, statement, values, row)
    with db.engine.connect() as connection:
        if connection.dialect.name == "postgresql":  # spares the round trips of BEGIN and COMMIT
            connection.execution_options(isolation_level="AUTOCOMMIT")
        rows = _run(connection, statement, values, row)
        connection.commit()
        return rows


def _run(connection: Connection, statement: Executable | Prepared[Any], values: Values, row: Any) -> Rows[Any]:
    if isinstance(statement, Prepared):
        assert isinstance(values, Mapping)
        return statement.run(connection, values)
    result = connection.execute(statement, values)
    if not result.returns_rows:
        return Rows()
    if row is None:
        return Rows(result)
    require_fields(row, list(result.keys()))
    return typed(row, result)


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
