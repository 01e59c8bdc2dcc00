"""The indexes of chats know the filters of a list, so that a page looks into the table for its own rows only."""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"

_SORTS = {"active": "last_active_at", "updated": "updated_at", "created": "created_at"}
_KINDS = {
    "listed": "deleted_at IS NULL AND archived_at IS NULL",
    "archived": "deleted_at IS NULL AND archived_at IS NOT NULL",
}
_FILTERS = ["team_id", "repo_id", "document_id"]


def upgrade() -> None:
    _make_anew(_FILTERS, ["archived_at"])


def downgrade() -> None:
    _make_anew([], [])


def _make_anew(of_kinds: list[str], of_filters: list[str]) -> None:
    for kind, where in _KINDS.items():
        for sort, column in _SORTS.items():
            _make_index(f"{kind}_{sort}", ["owner_id", column, "id", *of_kinds], where)
    for column in _FILTERS:
        columns = ["owner_id", column, "last_active_at", "id", *of_filters]
        _make_index(column, columns, f"deleted_at IS NULL AND {column} IS NOT NULL")


def _make_index(name: str, columns: list[str], where: str) -> None:
    name, condition = f"ix_chat_sessions_{name}", sa.text(where)
    op.drop_index(name, "chat_sessions")
    op.create_index(name, "chat_sessions", columns, postgresql_where=condition, sqlite_where=condition)
