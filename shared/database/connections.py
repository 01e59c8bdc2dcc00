"""How connections to the database are made, tried before they are used, and given up."""

import select
import sqlite3
import time
from typing import Any

import psycopg
from sqlalchemy import Engine, event
from sqlalchemy.engine import ExceptionContext
from sqlalchemy.exc import DisconnectionError
from sqlalchemy.pool import Pool

from shared.database.prepared import only_reads

# Milliseconds, on the server. A unit that waits longer for a lock is undone and repeated, three times in all.
_LOCK_TIMEOUT = 1_500
_POSTGRES_TIMEOUTS = "-c statement_timeout=10000 -c idle_in_transaction_session_timeout=15000 -c lock_timeout={}"
# A server that vanished without a word is given up after 15 to 25 s. The system would take minutes, or hours.
_POSTGRES_SILENCE = {
    "connect_timeout": 3,
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 15_000,
}
# Connections a process; a thread holds one for milliseconds, so a hundred threads share them.
_POOL_SIZE = 16
# Seconds that a thread waits for one.
_POOL_TIMEOUT = 30
# Seconds; a connection that rested longer, or whose server has sent word meanwhile, is tried before it is used.
# Trying each one each time would cost a round trip with every unit.
_RESTED = 1.0
_SQLITE_PRAGMAS = ("journal_mode=wal", "synchronous=full", "busy_timeout=5000", "foreign_keys=on")


def engine_options(database_url: str, lock_timeout: int = _LOCK_TIMEOUT) -> dict[str, Any]:
    """Pool and time-outs for SQLAlchemy's create_engine(); `lock_timeout` in ms, PostgreSQL's only."""
    options: dict[str, Any] = {
        "pool_size": _POOL_SIZE,
        "max_overflow": 0,
        "pool_timeout": _POOL_TIMEOUT,
        "pool_use_lifo": True,  # the one used last is warm: its plans are made, its pages are in the cache
    }
    if not database_url.startswith("sqlite"):
        options["connect_args"] = {"options": _POSTGRES_TIMEOUTS.format(lock_timeout), **_POSTGRES_SILENCE}
    return options


@event.listens_for(Engine, "connect")
def _prepare_sqlite(connection: Any, _record: Any) -> None:
    if isinstance(connection, sqlite3.Connection):
        connection.isolation_level = None  # else sqlite3 begins by itself, and only before some statements
        for pragma in _SQLITE_PRAGMAS:
            connection.execute(f"pragma {pragma}")


@event.listens_for(Pool, "checkin")
def _note_time(_connection: Any, record: Any) -> None:
    record.info["checked_in"] = time.monotonic()


@event.listens_for(Pool, "checkout")
def _try_rested(connection: Any, record: Any, _proxy: Any) -> None:
    if isinstance(connection, sqlite3.Connection) or "checked_in" not in record.info:
        return  # a new one; if that is cut at once, its first statement tells
    rested = time.monotonic() - record.info["checked_in"]
    try:
        if rested > _RESTED or _has_word(connection):
            connection.execute("")
            connection.rollback()
    except psycopg.Error as error:
        raise DisconnectionError from error  # has the pool try again with a new one


def _has_word(connection: psycopg.Connection[Any]) -> bool:
    """Whether the server has sent something unasked: a server that ends or restarts says so. Costs no round trip."""
    poll = select.poll()
    poll.register(connection.pgconn.socket, select.POLLIN)
    return bool(poll.poll(0))


@event.listens_for(Engine, "handle_error")
def _leave_who_only_reads(context: ExceptionContext) -> None:
    context.is_disconnect |= only_reads(context.original_exception)
