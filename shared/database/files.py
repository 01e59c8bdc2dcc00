"""Take deleted text out of the files of SQLite. In PostgreSQL only a command that locks whole tables could (D-123)."""

import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager

from shared.database.tables import db

# Bytes. A larger database is not rewritten, because nobody else could write meanwhile: a second for each 80 MB.
_REWRITTEN = 16 * 1024 * 1024
# Pages that one step of a merge writes: about a MB, which takes a few milliseconds. The minus asks for all parts.
_MERGE = "INSERT INTO search_words (search_words, rank) VALUES ('merge', -250)"
# A step that changes fewer rows than this had nothing to merge, says FTS5.
_MERGED = 2
# Seconds after which merge_words() leaves the rest to the next call.
_SLICE = 1.0
# Milliseconds that this waits for others, who wait for it in turn. The caller tries again later.
_PATIENCE = 200


def rewrite_file() -> bool:
    """Write a small database anew. False if others were in the way.

    `secure_delete` puts zeros over deleted text. But the text may have moved within its page before, and the old place
    is not wiped. A rewritten file has no such place.
    """
    with _sqlite() as connection:
        if connection is None or _size(connection) > _REWRITTEN:
            return True
        try:
            connection.execute("vacuum")
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode != sqlite3.SQLITE_BUSY:
                raise
            return False
        return True


def merge_words() -> bool:
    """Go on merging the index of words, for a second at most. True when no word of a deleted text is left in it.

    FTS5 only notes that a row is deleted. The row's words stay until a merge of all parts of the index drops them. Each
    step is a transaction of its own, and others can write as long between two steps.
    """
    with _sqlite() as connection:
        if connection is None:
            return True
        until = time.monotonic() + _SLICE
        while time.monotonic() < until:
            began, before = time.monotonic(), connection.total_changes
            try:
                connection.execute(_MERGE)
            except sqlite3.OperationalError as error:
                if error.sqlite_errorcode != sqlite3.SQLITE_BUSY:
                    raise
                return False
            if connection.total_changes - before < _MERGED:
                return True
            time.sleep(time.monotonic() - began)
        return False


def empty_log() -> bool:
    """Move the write-ahead log into the database's file, and empty it. False if a reader or a writer was in the way."""
    with _sqlite() as connection:
        if connection is None:
            return True
        connection.execute("pragma wal_checkpoint(passive)")  # moves most of the log without a lock
        blocked, _, _ = connection.execute("pragma wal_checkpoint(truncate)").fetchone()
        return not blocked


@contextmanager
def _sqlite() -> Iterator[sqlite3.Connection | None]:
    """A connection that waits for nobody for long; None if the database is not SQLite."""
    if db.engine.dialect.name != "sqlite":
        yield None
        return
    pooled = db.engine.raw_connection()
    connection = pooled.driver_connection
    assert isinstance(connection, sqlite3.Connection)
    (usual,) = connection.execute("pragma busy_timeout").fetchone()
    connection.execute(f"pragma busy_timeout={_PATIENCE}")
    try:
        yield connection
    finally:
        connection.execute(f"pragma busy_timeout={usual}")
        pooled.close()


def _size(connection: sqlite3.Connection) -> int:
    (pages,), (size,) = (connection.execute(f"pragma {name}").fetchone() for name in ("page_count", "page_size"))
    return int(pages * size)
