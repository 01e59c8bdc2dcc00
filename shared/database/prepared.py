"""Statements of the hot path: compiled once for each kind of database, then run by the driver itself.

SQLAlchemy writes them, converts their values, and keeps the connections. Its work around each execution is left out.
That work is two thirds of the cost of a statement (benchmarks/README.md, D-61).
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Generic, NamedTuple, TypeVar

from sqlalchemy import ColumnElement, Connection, Dialect, FromClause, Select
from sqlalchemy.exc import DBAPIError
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.expression import UpdateBase
from sqlalchemy.types import TypeEngine

#: A row is a named tuple. Its fields are the statement's columns, in their order (D-89).
R = TypeVar("R", bound=tuple[Any, ...])

Statement = Select[Any] | UpdateBase
Convert = Callable[[Any], Any]
# PostgreSQL's code for a write to a server that takes no writes.
_READ_ONLY = "25006"


class NoRow(NamedTuple):
    """The row of a statement that returns none."""


class Id(NamedTuple):
    """The row of a statement that returns ids."""

    id: str


class Rows(list[R]):
    """All rows that a statement returned."""

    def first(self) -> R | None:
        """The first row, if there is one."""
        return self[0] if self else None

    def scalar(self) -> Any | None:
        """The first column of the first row, if there is one."""
        return self[0][0] if self else None

    def scalars(self) -> list[Any]:
        """The first column of each row."""
        return [row[0] for row in self]


class Prepared(Generic[R]):
    """A statement whose text never changes. Every value has a name, and no value has a default in Python.

    `row` is the type of its rows. `columns` are the columns of an INSERT.
    """

    def __init__(self, statement: Statement, row: type[R], columns: Sequence[str] | None = None) -> None:
        self._statement = statement
        self._row = row
        self._columns = columns
        self._plans: dict[str, _Plan] = {}

    def run(self, connection: Connection, values: Mapping[str, Any]) -> Rows[R]:
        """Execute the statement. Raises SQLAlchemy's errors, and gives up a broken connection as SQLAlchemy would."""
        dialect = connection.dialect
        plan = self._plans.get(dialect.name)
        if plan is None:
            plan = self._plans[dialect.name] = _Plan(self._statement, self._columns, dialect)
            require_fields(self._row, plan.names)
        parameters = plan.bind(values)
        cursor = connection.connection.cursor()
        try:
            cursor.execute(plan.sql, parameters)
            return typed(self._row, plan.read(cursor.fetchall())) if plan.names else Rows()
        except dialect.loaded_dbapi.Error as error:
            raise _as_sqlalchemy(error, plan.sql, connection) from error
        finally:
            cursor.close()


def typed(row: type[R], found: Iterable[Sequence[Any]]) -> Rows[R]:
    """The same rows, as this type. The caller has compared its fields with the columns by require_fields()."""
    return Rows(tuple.__new__(row, values) for values in found)


def converted(raw: Sequence[Any], columns: Sequence[ColumnElement[Any]], dialect: Dialect) -> list[Any]:
    """The values of these columns as their types want them. `raw` has them as the driver read them."""
    ways = _converters({place: column.type for place, column in enumerate(columns)}, dialect, "result")
    return [ways[n](raw[n]) if n in ways else raw[n] for n in range(len(columns))]


def require_fields(row: type[R], names: Sequence[str]) -> None:
    """Raises AssertionError if a statement's columns are not the fields of its row's type."""
    fields = getattr(row, "_fields", ())
    assert tuple(names) == fields, f"{row.__name__} has {fields}, the statement returns {tuple(names)}"


def columns_of(row: type[R], table: FromClause, **computed: ColumnElement[Any]) -> list[Any]:
    """The columns that this type of row has, in its order: those of the table, or computed ones in their place."""
    names = row._fields  # type: ignore[attr-defined]
    return [computed[name].label(name) if name in computed else table.c[name] for name in names]


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
        self.names = [str(name) for name, _ in columns]
        self._positions = compiled.positiontup
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

    def read(self, fetched: Iterable[Sequence[Any]]) -> Iterable[Sequence[Any]]:
        """The values of each row, converted by the types of their columns."""
        if not self._out_of:
            return fetched
        return map(self._converted, map(list, fetched))

    def _converted(self, values: list[Any]) -> list[Any]:
        for place, convert in self._out_of.items():
            values[place] = convert(values[place])
        return values


def _converters(types: Mapping[Any, TypeEngine[Any]], dialect: Dialect, way: str) -> dict[Any, Convert]:
    found: dict[Any, Convert] = {}
    for key, kind in types.items():
        here = kind.dialect_impl(dialect)
        convert = here.bind_processor(dialect) if way == "bind" else here.result_processor(dialect, None)
        if convert:
            found[key] = convert
    return found


def only_reads(error: BaseException) -> bool:
    """Whether the server was demoted or is full, and takes no writes. Only a new connection may find its successor."""
    return getattr(error, "sqlstate", None) == _READ_ONLY


def without_values(parts: tuple[object, ...]) -> tuple[str, ...]:
    """An error's text without the part of PostgreSQL's message that quotes the row, because the error may be logged."""
    return tuple(str(part).partition("\nDETAIL:")[0] for part in parts)


def _as_sqlalchemy(error: Exception, sql: str, connection: Connection) -> BaseException:
    dialect = connection.dialect
    error.args = without_values(error.args)
    broken = only_reads(error) or dialect.is_disconnect(error, connection.connection, None)  # type: ignore[arg-type]
    if broken:
        connection.invalidate(error)
    return DBAPIError.instance(
        sql, None, error, dialect.loaded_dbapi.Error, connection_invalidated=broken, dialect=dialect
    )
