"""Fills PostgreSQL's search with the texts that were stored before its triggers, while the other programs run.

Each batch is a transaction of its own, and locks its rows. A program that changes one of them waits for the batch, and
its trigger then finds the new entry. A fill that was interrupted begins anew, and leaves out what has an entry (D-220).
"""

from importlib import import_module
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"

_search = import_module("shared.migrations.versions.0011_search")
# Rows of a batch. With the longest texts, a batch takes some seconds.
_BATCH = 100


def upgrade() -> None:
    if op.get_bind().dialect.name == "sqlite":
        return  # 0011 has filled it: SQLite lets nobody else write meanwhile
    with op.get_context().autocommit_block():
        for texts in _search.TEXTS:
            last: UUID | None = UUID(int=0)
            while last:
                last = _fill_after(texts, last)


def downgrade() -> None:
    """The entries go with their table."""


def _fill_after(texts: Any, last: UUID) -> UUID | None:
    """Make the entries of the rows that follow by id. Returns the last of them; None if no row is left."""
    batch = sa.text(
        f"""WITH batch AS MATERIALIZED (SELECT id FROM {texts.table} WHERE id > :last ORDER BY id LIMIT {_BATCH}),
        locked AS MATERIALIZED (
            SELECT * FROM {texts.table} t WHERE t.id IN (SELECT id FROM batch) AND {texts.found.format("t")} FOR SHARE),
        filled AS (
            INSERT INTO search_entries SELECT {_search.postgres_entry(texts, "t")} FROM locked t ON CONFLICT DO NOTHING)
        SELECT id FROM batch ORDER BY id DESC LIMIT 1"""  # noqa: S608 no part comes from outside
    )
    found: UUID | None = op.get_bind().scalar(batch, {"last": last})
    return found
