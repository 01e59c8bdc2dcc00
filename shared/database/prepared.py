"""Statements of the hot path: compiled once for each kind of database, then run by the driver itself.

SQLAlchemy writes them, converts their values, and keeps the connections. What is left out is what it does around
each single execution, which is two thirds of what a statement costs (benchmarks/README.md).
"""

from collections import namedtuple
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, Dialect, Select
from sqlalchemy.exc import DBAPIError
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.expression import UpdateBase
from sqlalchemy.types import TypeEngine

Statement = Select[Any] | UpdateBase
Convert = Callable[[Any], Any]
# PostgreSQL's name for a write to a server that takes none.
_READ_ONLY = "25006"


#: A named tuple with the columns of its statement.
Row = Any


class Rows(list[Row]):
    """What a statement returned, all fetched."""

    def first(self) -> Row | None:
        """The first row, if there is one."""
        return self[0] if self else None

    def scalar(self) -> Any | None:
        """The first column of the first row, if there is one."""
        return self[0][0] if self else None

    def scalars(self) -> list[Any]:
        """The first column of each row."""
        return [row[0] for row in self]


class Prepared:
    """A statement whose text never changes: every value has a name, and none a default in Python.

    `columns` are those of an INSERT.
    """

    def __init__(self, statement: Statement, columns: Sequence[str] | None = None) -> None:
        self._statement = statement
        self._columns = columns
        self._plans: dict[str, _Plan] = {}

    def run(self, connection: Connection, values: Mapping[str, Any]) -> Rows:
        """Execute it. Raises what SQLAlchemy would, and gives up a connection that broke as it would."""
        dialect = connection.dialect
        plan = self._plans.get(dialect.name)
        if plan is None:
            plan = self._plans[dialect.name] = _Plan(self._statement, self._columns, dialect)
        parameters = plan.bind(values)
        cursor = connection.connection.cursor()
        try:
            cursor.execute(plan.sql, parameters)
            return plan.read(cursor.fetchall()) if plan.returns else Rows()
        except dialect.loaded_dbapi.Error as error:
            raise _as_sqlalchemy(error, plan.sql, connection) from error
        finally:
            cursor.close()


class _Plan:
    """One statement in one dialect: its text, and how values go in and come out."""

    def __init__(self, statement: Statement, inserted: Sequence[str] | None, dialect: Dialect) -> None:
        compiled = statement.compile(dialect=dialect, column_keys=inserted)
        assert isinstance(compiled, SQLCompiler)
        defaults = [*compiled.insert_prefetch, *compiled.update_prefetch]
        assert not defaults, f"these defaults would be left out: {defaults}"
        assert not compiled.post_compile_params, "a list of values would change the text"
        columns = statement.exported_columns.items()
        self.sql = compiled.string
        self.returns = bool(columns)
        self._positions = compiled.positiontup
        self._row: Any = namedtuple("Row", [name for name, _ in columns], rename=True)  # type: ignore[misc]
        self._into = _converters({name: bind.type for bind, name in compiled.bind_names.items()}, dialect, "bind")
        self._out_of = _converters({place: c.type for place, (_, c) in enumerate(columns)}, dialect, "result")
        self._fixed = {name: bind.value for bind, name in compiled.bind_names.items() if not bind.required}
        self._given = [name for name in compiled.bind_names.values() if name not in self._fixed]

    def bind(self, values: Mapping[str, Any]) -> Any:
        """The parameters as the driver wants them."""
        bound = self._fixed | {name: values[name] for name in self._given}
        for name, convert in self._into.items():
            bound[name] = convert(bound[name])
        return [bound[name] for name in self._positions] if self._positions is not None else bound

    def read(self, fetched: Sequence[Sequence[Any]]) -> Rows:
        """The rows as the columns' types say."""
        rows = Rows()
        for values in map(list, fetched):
            for place, convert in self._out_of.items():
                values[place] = convert(values[place])
            rows.append(self._row._make(values))
        return rows


def _converters(types: Mapping[Any, TypeEngine[Any]], dialect: Dialect, way: str) -> dict[Any, Convert]:
    found: dict[Any, Convert] = {}
    for key, kind in types.items():
        here = kind.dialect_impl(dialect)
        convert = here.bind_processor(dialect) if way == "bind" else here.result_processor(dialect, None)
        if convert:
            found[key] = convert
    return found


def only_reads(error: BaseException) -> bool:
    """Whether the server was demoted or is full: a new connection may find its successor, this one never will."""
    return getattr(error, "sqlstate", None) == _READ_ONLY


def _as_sqlalchemy(error: Exception, sql: str, connection: Connection) -> BaseException:
    dialect = connection.dialect
    broken = only_reads(error) or dialect.is_disconnect(error, connection.connection, None)  # type: ignore[arg-type]
    if broken:
        connection.invalidate(error)
    return DBAPIError.instance(
        sql, None, error, dialect.loaded_dbapi.Error, connection_invalidated=broken, dialect=dialect
    )
