"""Adds `users.pruned_seq`, up to which a user's tombstones are gone, and indexes for finding old tombstones."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"

_DELETED = sa.text("deleted_at IS NOT NULL")


def upgrade() -> None:
    op.add_column("users", sa.Column("pruned_seq", sa.Integer(), nullable=False, server_default="0"))
    for table in ("chat_sessions", "messages"):
        op.create_index(f"ix_{table}_deleted", table, ["deleted_at"], postgresql_where=_DELETED, sqlite_where=_DELETED)


def downgrade() -> None:
    for table in ("chat_sessions", "messages"):
        op.drop_index(f"ix_{table}_deleted", table)
    op.drop_column("users", "pruned_seq")
