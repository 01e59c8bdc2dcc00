"""Adds the table of living workers, and an index of completed replies by time: both tell when a reply may begin."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"

_COMPLETED = sa.text("status = 'completed' AND attempt > 0")


def upgrade() -> None:
    op.create_table(
        "workers",
        sa.Column("id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("seen_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index(
        "ix_messages_completed",
        "messages",
        ["completed_at"],
        postgresql_where=_COMPLETED,
        sqlite_where=_COMPLETED,
    )


def downgrade() -> None:
    op.drop_index("ix_messages_completed", "messages")
    op.drop_table("workers")
