"""`db_now()` is the database's clock in milliseconds, `db_moment()` as a moment. `utc_now()` is this machine's clock.

Only the database's clock decides which rows are too old (D-67). A machine's clock may be days off, and a row that one
machine deletes is gone for all.
"""

from datetime import UTC, datetime
from typing import Any, NamedTuple

from sqlalchemy import BigInteger, select
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import FunctionElement

from shared.database.tables import UtcDateTime
from shared.database.units import query


class db_now(FunctionElement[int]):
    """The database's own clock, in milliseconds since 1970. It decides leases, turns and deadlines."""

    type = BigInteger()
    inherit_cache = True


@compiles(db_now, "postgresql")
def _postgres_now(*_: Any, **__: Any) -> str:
    # now() would be the start of the transaction
    return "(extract(epoch from clock_timestamp()) * 1000)::bigint"


@compiles(db_now, "sqlite")
def _sqlite_now(*_: Any, **__: Any) -> str:
    return "cast((julianday('now') - 2440587.5) * 86400000 as integer)"


class db_moment(FunctionElement[datetime]):
    """The database's own clock as a moment, in a statement. It decides which rows are too old."""

    type = UtcDateTime()
    inherit_cache = True


@compiles(db_moment, "postgresql")
def _postgres_moment(*_: Any, **__: Any) -> str:
    return "clock_timestamp()"


@compiles(db_moment, "sqlite")
def _sqlite_moment(*_: Any, **__: Any) -> str:
    return "strftime('%Y-%m-%d %H:%M:%f000', 'now')"  # in the format of SQLAlchemy, so that moments compare as text


class _Moment(NamedTuple):
    moment: datetime


def read_db_moment() -> datetime:
    """The moment that the database's clock shows."""
    return query(select(db_moment().label("moment")), row=_Moment)[0].moment


def utc_now() -> datetime:
    """This machine's clock. People read its moments. Leases, turns and deadlines never go by it."""
    return datetime.now(UTC)
