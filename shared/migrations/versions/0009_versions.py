"""Versions of messages, replies that continue a kept text, and keys of requests that make one row only."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"

_id = sa.Uuid(as_uuid=False)
_later = sa.text("version_of IS NOT NULL")


def upgrade() -> None:
    with op.batch_alter_table("messages") as messages:
        messages.add_column(sa.Column("version_of", _id))
        messages.add_column(sa.Column("continues", _id))
        messages.add_column(sa.Column("kept", sa.Integer(), nullable=False, server_default="0"))
    op.create_index("ix_messages_version_of", "messages", ["version_of"], postgresql_where=_later, sqlite_where=_later)
    with op.batch_alter_table("idempotency_keys") as keys:
        keys.alter_column("message_id", existing_type=_id, nullable=True)
        keys.alter_column("reply_id", existing_type=_id, nullable=True)
        keys.add_column(sa.Column("chat_session_id", _id))


def downgrade() -> None:
    # an older program cannot answer with one row only, so it forgets these keys
    op.execute("DELETE FROM idempotency_keys WHERE message_id IS NULL OR reply_id IS NULL")
    with op.batch_alter_table("idempotency_keys") as keys:
        keys.drop_column("chat_session_id")
        keys.alter_column("reply_id", existing_type=_id, nullable=False)
        keys.alter_column("message_id", existing_type=_id, nullable=False)
    op.drop_index("ix_messages_version_of", "messages")
    for column in ("kept", "continues", "version_of"):
        op.drop_column("messages", column)
