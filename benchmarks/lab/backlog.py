"""Fills a database with waiting replies and finished messages. Each kind is one large statement."""

from dataclasses import dataclass

from sqlalchemy import Connection, text

# Waiting replies of one user, in two chats. In each chat one reply has its turn, and one waits behind it.
PER_USER = 4
# Milliseconds since the hand-over, and its repetitions. After so many, no further hand-over is due yet.
_RESTED, _REPEATED = 60_000, 5


@dataclass(frozen=True)
class _Dialect:
    numbers: str
    identity: str
    now: str

    def id(self, kind: int, number: str) -> str:
        """An id that no row of another kind has."""
        return self.identity.format(f"{kind << 40} + {number}")


_DIALECTS = {
    "postgresql": _Dialect(
        "generate_series(1, :count) AS n",
        "cast(lpad(to_hex({}), 32, '0') AS uuid)",
        "(extract(epoch from now()) * 1000)::bigint",
    ),
    "sqlite": _Dialect(
        "(WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c WHERE n < :count) SELECT n FROM c)",
        "printf('%032x', {})",
        "cast((julianday('now') - 2440587.5) * 86400000 as integer)",
    ),
}
_USER, _CHAT, _FINISHED, _WAITING = range(1, 5)
_MESSAGE = """
    messages (id, chat_session_id, owner_id, position, status, dispatched_at, deadline_at, hand_over_at, seq, model,
        content, message_type, version, shown, credits_held, credits_charged, created_at, updated_at,
        attempt, failures, drains, handovers, live_index)
"""


def add_waiting(connection: Connection, count: int) -> None:
    """Add users, chats and waiting replies. Half of them wait for a worker, half for their turn, and none is due."""
    users, chats, sql = count // PER_USER, count // 2, _DIALECTS[connection.dialect.name]
    now = "CURRENT_TIMESTAMP"
    _insert(
        connection,
        users,
        "users (id, email, role, credits, held, seq, created_at, updated_at)",
        f"{sql.id(_USER, 'n')}, 'user' || n, 'user', 0, {3 * PER_USER}, 0, {now}, {now}",
    )
    _insert(
        connection,
        chats,
        """chat_sessions (id, display_id, owner_id, title, title_source, settings, next_position, seq, seen_seq,
            last_active_at, created_at, updated_at)""",
        f"{sql.id(_CHAT, 'n')}, 'c' || n, {sql.id(_USER, f'1 + n % {users}')}, 't', 'user', '{{}}', 0, 0, 0,"
        f" {now}, {now}, {now}",
    )
    turn = f"CASE WHEN n <= {chats} THEN {sql.now} - {_RESTED} - n END, {sql.now} + 86400000, {sql.now} + 86400000"
    _add_messages(connection, count, users, _WAITING, f"2000000000 + n, 'pending', {turn}")


def add_finished(connection: Connection, count: int, waiting: int) -> None:
    """Add finished messages of these users."""
    _add_messages(connection, count, waiting // PER_USER, _FINISHED, "n, 'completed', NULL, NULL, NULL")


def _add_messages(connection: Connection, count: int, users: int, kind: int, state: str) -> None:
    sql = _DIALECTS[connection.dialect.name]
    chat = f"(1 + n % {2 * users})"
    _insert(
        connection,
        count,
        _MESSAGE,
        f"{sql.id(kind, 'n')}, {sql.id(_CHAT, chat)}, {sql.id(_USER, f'1 + {chat} % {users}')}, {state}, n,"
        " 'fake', 'An answer as long as answers are when they are short, or as a question is.', 'ai_report', 1,"
        " true, 3, 0,"
        f" CURRENT_TIMESTAMP, CURRENT_TIMESTAMP, 0, 0, 0, {_REPEATED}, 0",
    )
    if connection.dialect.name == "postgresql":  # as PostgreSQL's own autovacuum would; SQLite has nothing like it
        connection.execute(text("ANALYZE"))


def _insert(connection: Connection, count: int, into: str, values: str) -> None:
    numbers = _DIALECTS[connection.dialect.name].numbers
    statement = text(f"INSERT INTO {into} SELECT {values} FROM {numbers}")
    connection.execute(statement, {"count": count})
