"""The time of a reply's next hand-over stands in its row."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    op.add_column("messages", sa.Column("hand_over_at", sa.BigInteger()))


def downgrade() -> None:
    op.drop_column("messages", "hand_over_at")
