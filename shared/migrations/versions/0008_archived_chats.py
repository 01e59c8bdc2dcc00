"""Chats can be archived, are listed by indexes of their own, and have a title by a model."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"

_SORTS = {"active": "last_active_at", "updated": "updated_at", "created": "created_at"}
_LISTED = "deleted_at IS NULL AND archived_at IS NULL"
_ARCHIVED = "deleted_at IS NULL AND archived_at IS NOT NULL"
_BY = ("team_id", "repo_id", "document_id")


def upgrade() -> None:
    op.add_column("chat_sessions", sa.Column("title_from", sa.Uuid(as_uuid=False)))
    op.add_column("chat_sessions", sa.Column("title_tries", sa.Integer(), nullable=False, server_default="0"))
    for name, column in _SORTS.items():
        op.drop_index(f"ix_chat_sessions_owner_{name}", "chat_sessions")
        _make_index(f"listed_{name}", ["owner_id", column, "id"], _LISTED)
        _make_index(f"archived_{name}", ["owner_id", column, "id"], _ARCHIVED)
    for column in _BY:
        _make_index(
            column, ["owner_id", column, "last_active_at", "id"], f"deleted_at IS NULL AND {column} IS NOT NULL"
        )


def downgrade() -> None:
    for column in _BY:
        op.drop_index(f"ix_chat_sessions_{column}", "chat_sessions")
    for name, column in _SORTS.items():
        op.drop_index(f"ix_chat_sessions_archived_{name}", "chat_sessions")
        op.drop_index(f"ix_chat_sessions_listed_{name}", "chat_sessions")
        op.create_index(f"ix_chat_sessions_owner_{name}", "chat_sessions", ["owner_id", column, "id"])
    op.drop_column("chat_sessions", "title_tries")
    op.drop_column("chat_sessions", "title_from")


def _make_index(name: str, columns: list[str], where: str) -> None:
    condition = sa.text(where)
    op.create_index(
        f"ix_chat_sessions_{name}", "chat_sessions", columns, postgresql_where=condition, sqlite_where=condition
    )
