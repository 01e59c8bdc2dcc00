"""The database's own record: triggers write down each step of a reply and each move of the ledger.

Only tests have the triggers. They write in the same transaction, so a step that was rolled back is not in the log. They
write under the owner's lock, so the entries of one owner stand in the order of the commits.
"""

from dataclasses import dataclass

from sqlalchemy import Engine, select, text

from shared.database.clock import db_now

_FINAL = "('completed', 'failed', 'cancelled')"
_WATCHED = ("status", "content", "attempt", "message_type", "credits_charged", "error_code", "finish_reason")
_REWRITTEN = " OR ".join(f"OLD.{column} IS DISTINCT FROM NEW.{column}" for column in (*_WATCHED, "completed_at"))
# A deletion may change a final reply, once.
_IS_DELETED = "OLD.deleted_at IS NULL AND NEW.deleted_at IS NOT NULL"

# Each note: its name, the event, the table, the condition, and the values. The values are the owner or the reply, the
# old state, and the new state.
_NOTES = [
    ("reply", "INSERT", "messages", "NEW.reply_to IS NOT NULL", ("NEW.id", "''", "NEW.status")),
    (
        "reply",
        "UPDATE",
        "messages",
        "NEW.reply_to IS NOT NULL AND OLD.status <> NEW.status",
        ("NEW.id", "OLD.status", "NEW.status"),
    ),
    (
        "rewritten",
        "UPDATE",
        "messages",
        f"OLD.reply_to IS NOT NULL AND OLD.status IN {_FINAL} AND NOT ({_IS_DELETED})"
        f" AND ({_REWRITTEN} OR OLD.deleted_at IS DISTINCT FROM NEW.deleted_at)",
        ("NEW.id", "OLD.status", "NEW.status"),
    ),
    (
        "stopped",
        "UPDATE",
        "messages",
        "NEW.reply_to IS NOT NULL AND OLD.status <> NEW.status AND NEW.status = 'cancelled'",
        ("NEW.id", "OLD.status", "NEW.content"),
    ),
    ("removed", "DELETE", "messages", "TRUE", ("OLD.owner_id", "OLD.id", "''")),
    ("money", "UPDATE", "users", "OLD.seq <> NEW.seq", ("NEW.id", "NEW.seq", "NEW.credits || ' ' || NEW.held")),
    ("ledger", "INSERT", "credit_entries", "TRUE", ("NEW.user_id", "NEW.kind", "NEW.delta")),
    ("ledger changed", "UPDATE", "credit_entries", "TRUE", ("OLD.user_id", "OLD.delta", "NEW.delta")),
    ("ledger changed", "DELETE", "credit_entries", "TRUE", ("OLD.user_id", "OLD.delta", "''")),
]


@dataclass(frozen=True)
class Note:
    """One line of the log. `whose` is the id of a reply, or of a user for notes about money or a removed row.

    `at` is the time on the database's clock, in milliseconds.
    """

    what: str
    whose: str
    was: str
    now: str
    at: int = 0


def install(engine: Engine) -> None:
    """Make the database note everything from now on."""
    postgres = engine.dialect.name == "postgresql"
    number = "bigserial PRIMARY KEY" if postgres else "integer PRIMARY KEY AUTOINCREMENT"
    now = str(db_now().compile(dialect=engine.dialect))
    columns = f"number {number}, what text, whose text, was text, now text, at bigint"
    with engine.begin() as connection:
        connection.exec_driver_sql(f"CREATE TABLE witness ({columns})")
        for index, (what, when, table, condition, values) in enumerate(_NOTES):
            noted = ", ".join(f"CAST({value} AS text)" for value in values)
            note = f"INSERT INTO witness (what, whose, was, now, at) VALUES ('{what}', {noted}, {now});"
            for statement in (_for_postgres if postgres else _for_sqlite)(index, when, table, condition, note):
                connection.exec_driver_sql(statement.replace("%", "%%"))


def notes(engine: Engine) -> list[Note]:
    """The log, oldest first. The ids are as in REST."""
    with engine.connect() as connection:
        rows = connection.execute(text("SELECT what, whose, was, now, at FROM witness ORDER BY number")).all()
    return [Note(row.what, _as_rest(row.whose), row.was, row.now, row.at) for row in rows]


def clock(engine: Engine) -> int:
    """The time on the database's clock, in milliseconds."""
    with engine.connect() as connection:
        return int(connection.execute(select(db_now())).scalar_one())


def _for_postgres(index: int, when: str, table: str, condition: str, note: str) -> list[str]:
    body = f"BEGIN {note} RETURN NULL; END"
    trigger = f"CREATE TRIGGER witness_{index} AFTER {when} ON {table} FOR EACH ROW WHEN ({condition})"
    return [
        f"CREATE FUNCTION witness_{index}() RETURNS trigger LANGUAGE plpgsql AS $$ {body} $$",
        f"{trigger} EXECUTE FUNCTION witness_{index}()",
    ]


def _for_sqlite(index: int, when: str, table: str, condition: str, note: str) -> list[str]:
    return [f"CREATE TRIGGER witness_{index} AFTER {when} ON {table} WHEN {condition} BEGIN {note} END"]


def _as_rest(stored: str) -> str:
    """Give an id the dashes that REST shows and SQLite does not keep."""
    digits = stored.replace("-", "")
    return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"
