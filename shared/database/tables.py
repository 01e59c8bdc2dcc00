"""The base of every table, and the types and ids of their columns. The tables themselves are in `shared/models/`."""

from datetime import UTC, datetime
from typing import Any

import uuid_utils
from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import ColumnElement, DateTime, Dialect, String, Uuid, cast, literal
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.orm import DeclarativeBase
from sqlalchemy.sql.functions import FunctionElement
from sqlalchemy.types import TypeDecorator


class Base(DeclarativeBase):
    """Every table's class inherits from this one."""


db = SQLAlchemy(model_class=Base, session_options={"expire_on_commit": False})


class UtcDateTime(TypeDecorator[datetime]):
    """A moment in UTC. SQLite keeps no time zone, so this type puts it back when a value is read."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is not None and value.tzinfo is None:
            return value.replace(tzinfo=UTC)
        return value


def new_id() -> str:
    """A UUIDv7: unique, and sorted by time."""
    return str(uuid_utils.uuid7())


# Characters of a new id in that of a copy.
_FROM_NEW = 18


class copied_id(FunctionElement[str]):
    """The id of a row's copy, in a statement: the beginning of a new id, and the end of the row's own.

    So each copy of a reply names the copy of its question. The 62 random bits at the end keep the copies apart.
    """

    type = Uuid(as_uuid=False)
    inherit_cache = True

    def __init__(self, column: ColumnElement[Any], new: str) -> None:
        super().__init__(cast(column, String), literal(new, String))


def copy_of(own: str, new: str) -> str:
    """The same id as copied_id, outside of statements."""
    return new[:_FROM_NEW] + own[_FROM_NEW:]


@compiles(copied_id, "postgresql")
def _postgres_copied_id(element: copied_id, compiler: Any, **options: Any) -> str:
    own, new = (compiler.process(clause, **options) for clause in element.clauses)
    return f"(left({new}, {_FROM_NEW}) || substr({own}, {_FROM_NEW + 1}))::uuid"


@compiles(copied_id, "sqlite")
def _sqlite_copied_id(element: copied_id, compiler: Any, **options: Any) -> str:
    own, new = (compiler.process(clause, **options) for clause in element.clauses)
    return f"(substr(replace({new}, '-', ''), 1, 16) || substr({own}, 17))"
