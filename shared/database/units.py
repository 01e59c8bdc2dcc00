"""Units, each of which is one transaction, and the functions that run a statement inside a unit or alone."""

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
    """Open one transaction that writes. It commits at the end, and rolls back on any exception.

    On SQLite the unit takes the write lock first, so that no other unit changes the rows that it reads. No network call
    belongs inside: a slow one would keep rows locked. execute() costs less than an ORM session (D-60).
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
    """Open one transaction that reads. All queries inside see the database as of the same moment."""
    with db.engine.connect() as connection:
        if connection.dialect.name == "postgresql":
            connection.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
        with connection.begin():
            token = _unit.set(connection)
            try:
                yield
            finally:
                _unit.reset(token)


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
    """Run a statement as execute() does. Outside of any unit, the statement is a transaction of its own."""
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
    """A column of RETURNING. If a statement returns this, its transaction's commit does not wait for the disk.

    A crash of the database server may undo such a commit. Use this only where that does no harm.
    """

    type = String()
    inherit_cache = True


@compiles(commit_lightly, "postgresql")
def _postgres_commit_lightly(*_: Any, **__: Any) -> str:
    return "set_config('synchronous_commit', 'off', true)"  # true: for this transaction only


@compiles(commit_lightly, "sqlite")
def _sqlite_commit_lightly(*_: Any, **__: Any) -> str:
    return "null"
