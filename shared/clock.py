"""The database's own clock as a moment, for columns that hold one; for those in milliseconds there is `db_now()`.

A machine's clock may be days off, and what one machine forgets is gone for all.
"""

from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import FunctionElement

from shared.db import UtcDateTime, query


class db_moment(FunctionElement[datetime]):
    """The moment that it is by the database's clock, in a statement. Decides what is too old."""

    type = UtcDateTime()
    inherit_cache = True


@compiles(db_moment, "postgresql")
def _postgres_moment(*_: Any, **__: Any) -> str:
    return "clock_timestamp()"


@compiles(db_moment, "sqlite")
def _sqlite_moment(*_: Any, **__: Any) -> str:
    return "strftime('%Y-%m-%d %H:%M:%f000', 'now')"  # as SQLAlchemy writes moments, so that they sort


def read_db_moment() -> datetime:
    """The moment that it is by the database's clock."""
    moment = query(select(db_moment())).scalar()
    assert isinstance(moment, datetime)
    return moment
