"""Take deleted text out of the files of SQLite. In PostgreSQL only a command that locks whole tables could (D-123)."""

import sqlite3
import time
from collections.abc import Callable

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
# The bits of an error's code that name its kind. The others tell more, as in SQLITE_BUSY_SNAPSHOT.
_KIND = 0xFF


def rewrite_file() -> bool:
    """Write a small database anew. False if others were in the way.

    `secure_delete` puts zeros over deleted text. But the text may have moved within its page before, and the old place
    is not wiped. A rewritten file has no such place.
    """
    return _unless_busy(_rewrite)


def merge_words() -> bool:
    """Go on merging the index of words, for a second at most. True when no word of a deleted text is left in it.

    FTS5 only notes that a row is deleted. The row's words stay until a merge of all parts of the index drops them. Each
    step is a transaction of its own, and others can write as long between two steps.
    """
    return _unless_busy(_merge)


def empty_log() -> bool:
    """Move the write-ahead log into the database's file, and empty it. False if a reader or a writer was in the way."""
    return _unless_busy(_empty)


def _unless_busy(step: Callable[[sqlite3.Connection], bool]) -> bool:
    """Run the step, and wait for nobody for long. False if others were in the way; True if this is not SQLite."""
    if db.engine.dialect.name != "sqlite":
        return True
    pooled = db.engine.raw_connection()
    connection = pooled.driver_connection
    assert isinstance(connection, sqlite3.Connection)
    (usual,) = connection.execute("pragma busy_timeout").fetchone()
    connection.execute(f"pragma busy_timeout={_PATIENCE}")
    try:
        return step(connection)
    except sqlite3.OperationalError as error:
        if error.sqlite_errorcode & _KIND != sqlite3.SQLITE_BUSY:
            raise
        return False
    finally:
        connection.execute(f"pragma busy_timeout={usual}")
        pooled.close()


def _rewrite(connection: sqlite3.Connection) -> bool:
    if _size(connection) <= _REWRITTEN:
        connection.execute("vacuum")
    return True


def _merge(connection: sqlite3.Connection) -> bool:
    until = time.monotonic() + _SLICE
    while time.monotonic() < until:
        began, before = time.monotonic(), connection.total_changes
        connection.execute(_MERGE)
        if connection.total_changes - before < _MERGED:
            return True
        time.sleep(time.monotonic() - began)
    return False


def _empty(connection: sqlite3.Connection) -> bool:
    connection.execute("pragma wal_checkpoint(passive)")  # moves most of the log without a lock
    blocked, _, _ = connection.execute("pragma wal_checkpoint(truncate)").fetchone()
    return not blocked


def _size(connection: sqlite3.Connection) -> int:
    (pages,), (size,) = (connection.execute(f"pragma {name}").fetchone() for name in ("page_count", "page_size"))
    return int(pages * size)
