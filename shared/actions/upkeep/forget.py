"""Delete a batch of rows that are too old. A row that somebody has locked keeps no other row from being deleted."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Select, Table, delete

from shared.database.retries import retried
from shared.database.units import execute, query, write_unit

#: Rows that a sweep forgets at most. The next sweep takes the rest.
BATCH = 500


@retried
def forget(table: Table, old: Select[Any], values: Mapping[str, Any]) -> int:
    """Delete the rows with the keys that `old` selects, and return how many.

    It leaves out rows that another transaction has locked, and takes as many others (D-116).
    """
    if not query(old.limit(1), values):
        return 0  # so that SQLite's one lock is taken for work only
    (key,) = table.primary_key
    free = old.limit(BATCH).with_for_update(skip_locked=True)
    with write_unit():
        return len(execute(delete(table).where(key.in_(free)).returning(key), values))
