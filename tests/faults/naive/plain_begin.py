"""A web program whose units on SQLite begin without the write lock, as SQLAlchemy's own transactions do."""

import sys
from typing import Any

from gunicorn.app.wsgiapp import run
from sqlalchemy import Engine, event

from shared.database import units as db

event.remove(Engine, "begin", db._begin_sqlite)


@event.listens_for(Engine, "begin")
def _begin(connection: Any) -> None:
    connection.exec_driver_sql("BEGIN")


if __name__ == "__main__":
    sys.argv[1:] = ["--config", "python:api.gunicorn", "api.app:create_app()"]
    run()
