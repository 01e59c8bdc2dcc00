"""Sets clocks wrong, as the programs of this process and the database's statements read them.

`shared/database/clock.py` is the one door of the database's clock. It asks the database for `clock_timestamp()` on
PostgreSQL, and for `julianday()` and `strftime()` on SQLite. These names then mean functions of this module.
"""

import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Any, Self

import pytest
from dramatiq import brokers
from flask import Flask
from jwt import api_jwt
from sqlalchemy import Engine, event, make_url, text

from shared.database import clock
from shared.database.tables import db
from shared.database.units import execute, write_unit

_SHADOW = """
CREATE OR REPLACE FUNCTION shadow.clock_timestamp() RETURNS timestamptz LANGUAGE sql VOLATILE AS
$$ SELECT pg_catalog.clock_timestamp() + make_interval(secs => {}) $$
"""
# Days from noon of the first day of the Julian calendar to 1970.
_JULIAN = 2440587.5


class Clocks:
    """The two clocks, as these apps read them. A second call replaces the first one."""

    def __init__(self, patch: pytest.MonkeyPatch, apps: tuple[Flask, ...]) -> None:
        self._patch, self._apps = patch, apps
        self._ahead = 0.0

    def set_machine(self, seconds: float) -> None:
        """This machine's clock is so many seconds ahead from now on; behind, if the number is negative."""
        off, right = timedelta(seconds=seconds), time.time

        class WrongDatetime(datetime):
            @classmethod
            def now(cls, tz: tzinfo | None = None) -> Self:
                return super().now(tz) + off

        for module in (clock, api_jwt):
            self._patch.setattr(module, "datetime", WrongDatetime)
        self._patch.setattr(brokers.redis, "current_millis", lambda: int(time.time() * 1000))
        self._patch.setattr(time, "time", lambda: right() + seconds)

    def set_database(self, seconds: float) -> None:
        """The database's clock is so many seconds ahead from now on."""
        self._ahead = seconds
        if db.engine.dialect.name == "postgresql":
            with write_unit():
                execute(text("CREATE SCHEMA IF NOT EXISTS shadow"))
                execute(text(_SHADOW.format(seconds)))
                # PostgreSQL looks into its own schema first, unless the path names that schema later
                name = make_url(db.engine.url).database
                execute(text(f'ALTER DATABASE "{name}" SET search_path = shadow, public, pg_catalog'))
        for app in self._apps:
            with app.app_context():
                db.engine.dispose()  # new connections have the new clock

    def shadow(self, connection: Any, _record: Any) -> None:
        """Give a new connection of SQLite the wrong clock."""
        if not isinstance(connection, sqlite3.Connection):
            return
        connection.create_function("julianday", 1, lambda _: self._now().timestamp() / 86_400 + _JULIAN)
        connection.create_function("strftime", 2, lambda *_: f"{self._now():%Y-%m-%d %H:%M:%S.%f}")

    def _now(self) -> datetime:
        return datetime.fromtimestamp(_right_time(), UTC) + timedelta(seconds=self._ahead)


_right_time = time.time


@contextmanager
def clocks(*apps: Flask) -> Iterator[Clocks]:
    """Clocks that are right again after the block. The test has the app context of the first app."""
    with pytest.MonkeyPatch.context() as patch:
        wrong = Clocks(patch, apps)
        event.listen(Engine, "connect", wrong.shadow)
        yield wrong
        event.remove(Engine, "connect", wrong.shadow)
