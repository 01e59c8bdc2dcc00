"""The indexes of messages, and the rule of their states."""

from sqlalchemy import CheckConstraint, Index, text

_GONE = "deleted_at IS NOT NULL"
_OPEN = "status IN ('pending', 'running')"
_PENDING = "status = 'pending'"
_LATER_VERSION = "version_of IS NOT NULL"
_COMPLETED = "status = 'completed' AND attempt > 0"

#: The table has these.
INDEXES = (
    CheckConstraint("status IN ('pending', 'running', 'completed', 'failed', 'cancelled')", name="known_status"),
    Index("ix_messages_chat_position", "chat_session_id", "position"),
    Index("ix_messages_owner_seq", "owner_id", "seq"),
    Index("ix_messages_deleted", "deleted_at", postgresql_where=text(_GONE), sqlite_where=text(_GONE)),
    Index("ix_messages_open", "owner_id", "status", postgresql_where=text(_OPEN), sqlite_where=text(_OPEN)),
    # The completions of the last minutes tell how fast replies end (D-155). No copy in a fork is one (D-217).
    Index(
        "ix_messages_completed",
        "completed_at",
        postgresql_where=text(_COMPLETED),
        sqlite_where=text(_COMPLETED),
    ),
    # This one index serves every search for replies that wait (D-63).
    Index(
        "ix_messages_waiting",
        "dispatched_at",
        "handovers",
        "deadline_at",
        postgresql_where=text(_PENDING),
        sqlite_where=text(_PENDING),
    ),
    Index(
        "ix_messages_version_of",
        "version_of",
        postgresql_where=text(_LATER_VERSION),
        sqlite_where=text(_LATER_VERSION),
    ),
)
