"""Somebody who locks rows of the database and forgets them."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import ColumnElement, Table, create_engine, select
from sqlalchemy.pool import NullPool


@contextmanager
def held(database_url: str, table: Table, which: ColumnElement[bool]) -> Iterator[list[Any]]:
    """Hold the locks of these rows for the time of the block."""
    with create_engine(database_url, poolclass=NullPool).connect() as connection:
        yield list(connection.execute(select(table).where(which).with_for_update()))
        connection.rollback()
