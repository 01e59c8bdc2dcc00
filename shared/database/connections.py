"""Connections to the database: their options, their try-out before use, and their time-outs."""

import select
import sqlite3
import time
from typing import Any

import psycopg
from sqlalchemy import Engine, event
from sqlalchemy.engine import ExceptionContext
from sqlalchemy.exc import DisconnectionError
from sqlalchemy.pool import Pool

from shared.database.prepared import only_reads, without_values

# Milliseconds that the server lets a statement wait for a lock. Then it undoes the unit, which is repeated. A unit is
# tried three times in all (D-65).
_LOCK_TIMEOUT = 1_500
_POSTGRES_TIMEOUTS = "-c statement_timeout=10000 -c idle_in_transaction_session_timeout=15000 -c lock_timeout={}"
# With these, a program gives up a vanished server after 15 to 25 s (D-70). The system's defaults take minutes or hours.
_POSTGRES_SILENCE = {
    "connect_timeout": 3,
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 15_000,
}
# Connections of one process. A thread holds one for milliseconds, so a hundred threads can share them.
_POOL_SIZE = 16
# Seconds that a thread waits for a free connection.
_POOL_TIMEOUT = 30
# Seconds. A connection that rested longer is tried before use (D-68). So is one with unread data of its server (D-69).
# Trying every connection each time would cost a round trip with every unit.
_RESTED = 1.0
# `secure_delete` puts zeros over deleted text (D-122).
_SQLITE_PRAGMAS = (
    *("journal_mode=wal", "synchronous=full", "busy_timeout=5000", "foreign_keys=on", "secure_delete=on"),
)


def engine_options(database_url: str, lock_timeout: int = _LOCK_TIMEOUT) -> dict[str, Any]:
    """Pool and time-outs for SQLAlchemy's create_engine(). `lock_timeout` is in ms, for PostgreSQL only."""
    options: dict[str, Any] = {
        "pool_size": _POOL_SIZE,
        "max_overflow": 0,
        "pool_timeout": _POOL_TIMEOUT,
        "hide_parameters": True,  # an error that is logged names the statement, but none of its values
        "pool_use_lifo": True,  # the connection used last is warm: its plans are made, its pages are cached
    }
    if not database_url.startswith("sqlite"):
        options["connect_args"] = {"options": _POSTGRES_TIMEOUTS.format(lock_timeout), **_POSTGRES_SILENCE}
    return options


@event.listens_for(Engine, "connect")
def _prepare_sqlite(connection: Any, _record: Any) -> None:
    if isinstance(connection, sqlite3.Connection):
        connection.isolation_level = None  # else sqlite3 begins transactions itself, but only before some statements
        for pragma in _SQLITE_PRAGMAS:
            connection.execute(f"pragma {pragma}")


@event.listens_for(Pool, "checkin")
def _note_time(_connection: Any, record: Any) -> None:
    record.info["checked_in"] = time.monotonic()


@event.listens_for(Pool, "checkout")
def _try_rested(connection: Any, record: Any, _proxy: Any) -> None:
    if isinstance(connection, sqlite3.Connection) or "checked_in" not in record.info:
        return  # a new connection needs no try; if it is cut, its first statement fails
    rested = time.monotonic() - record.info["checked_in"]
    try:
        if rested > _RESTED or _has_unread_data(connection):
            connection.execute("")
            connection.rollback()
    except psycopg.Error as error:
        raise DisconnectionError from error  # the pool then tries a new connection


def _has_unread_data(connection: psycopg.Connection[Any]) -> bool:
    """Whether the server has sent unread data, as it does when it ends or restarts. Costs no round trip (D-69)."""
    poll = select.poll()
    poll.register(connection.pgconn.socket, select.POLLIN)
    return bool(poll.poll(0))


@event.listens_for(Engine, "handle_error")
def _disconnect_read_only(context: ExceptionContext) -> None:
    """Count a read-only server as a lost connection, so that the pool connects anew, perhaps to another server."""
    context.is_disconnect |= only_reads(context.original_exception)


@event.listens_for(Engine, "handle_error")
def _keep_values_out_of_logs(context: ExceptionContext) -> None:
    """Cut off the part of PostgreSQL's message that quotes the row, because the error may be logged."""
    for error in (context.original_exception, context.sqlalchemy_exception):
        if error:
            error.args = without_values(error.args)
