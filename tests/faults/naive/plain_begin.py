"""A web program whose units on SQLite begin without the write lock, as SQLAlchemy's own transactions do."""

import sys
from typing import Any

from sqlalchemy import Engine, event

from api.web import main
from shared.database import units as db

event.remove(Engine, "begin", db._begin_sqlite)


@event.listens_for(Engine, "begin")
def _begin(connection: Any) -> None:
    connection.exec_driver_sql("BEGIN")


if __name__ == "__main__":
    sys.exit(main())
