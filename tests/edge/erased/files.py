"""Looks for a text in the raw bytes of all files of the database and of Redis."""

from pathlib import Path

DATABASE, LOG, REDIS = "database", "write-ahead log", "append-only file"


class Disk:
    """The files of a SQLite database and of a Redis."""

    def __init__(self, database_url: str, redis_folder: Path) -> None:
        self._database, self._redis = Path(database_url.removeprefix("sqlite:///")), redis_folder

    def has(self, needle: str) -> set[str]:
        """The kinds of files with this text. A needle of ASCII letters has the same bytes in UTF-8 and in JSON."""
        kinds = {DATABASE: [self._database], LOG: [Path(f"{self._database}-wal")], REDIS: self._redis.rglob("*")}
        return {kind for kind, files in kinds.items() if any(_has(file, needle) for file in files)}


def _has(file: Path, needle: str) -> bool:
    try:
        return file.is_file() and needle.encode() in file.read_bytes()
    except FileNotFoundError:  # Redis deletes its old files in a thread
        return False
