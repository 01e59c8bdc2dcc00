"""Fresh, migrated SQLite databases. Each is a copy of one that was migrated once."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

from shared.database.migrate import migrate


class SqliteDatabases:
    """Gives tests the same methods as PostgresDatabases."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._template = folder / "template.db"

    @contextmanager
    def fresh(self) -> Iterator[str]:
        """The address of a database that is deleted after the block."""
        if not self._template.exists():
            migrate(f"sqlite:///{self._template}.new")
            Path(f"{self._template}.new").rename(self._template)
        path = self._folder / f"{uuid4().hex}.db"
        shutil.copy(self._template, path)
        try:
            yield f"sqlite:///{path}"
        finally:
            for file in self._folder.glob(f"{path.name}*"):  # the -wal and -shm files too
                file.unlink()
