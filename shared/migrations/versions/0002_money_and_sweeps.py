"""Makes the ledger append-only, and adds an index by which the sweeper finds waiting replies (D-63)."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

_PENDING = "status = 'pending'"
_POSTGRESQL = (
    """
    CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        RAISE EXCEPTION '% is append-only', TG_TABLE_NAME USING ERRCODE = 'integrity_constraint_violation';
    END $$
    """,
    """
    CREATE TRIGGER credit_entries_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON credit_entries
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()
    """,
)
# batch_alter_table() makes a table anew, without its triggers. A migration that uses it here must create them again.
_SQLITE = tuple(
    f"""
    CREATE TRIGGER credit_entries_no_{change} BEFORE {change} ON credit_entries
    BEGIN
        SELECT RAISE(ABORT, 'credit_entries is append-only');
    END
    """
    for change in ("update", "delete")
)
_UNDO = {
    "postgresql": ("DROP TRIGGER credit_entries_append_only ON credit_entries", "DROP FUNCTION refuse_change()"),
    "sqlite": ("DROP TRIGGER credit_entries_no_update", "DROP TRIGGER credit_entries_no_delete"),
}


def upgrade() -> None:
    for statement in {"postgresql": _POSTGRESQL, "sqlite": _SQLITE}[op.get_bind().dialect.name]:
        op.execute(statement)
    op.create_index(
        "ix_messages_waiting",
        "messages",
        ["dispatched_at", "handovers", "deadline_at"],
        postgresql_where=sa.text(_PENDING),
        sqlite_where=sa.text(_PENDING),
    )


def downgrade() -> None:
    op.drop_index("ix_messages_waiting", "messages")
    for statement in _UNDO[op.get_bind().dialect.name]:
        op.execute(statement)
