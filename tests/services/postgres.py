"""A real PostgreSQL: the one of TEST_DATABASE_URL, or else the test run's own cluster."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from uuid import uuid4

import psycopg
from sqlalchemy import create_engine, make_url, text
from sqlalchemy.exc import OperationalError
from sqlalchemy.pool import NullPool

from shared.database.migrate import migrate
from tests.eventually import eventually
from tests.services.guard import Guard
from tests.services.postgres_cluster import cluster
from tests.services.service import Service

# The result changes with the database's objects, its revision, its settings, and the counts of ANALYZE.
_CATALOG = """
    SELECT sum(rows), max(newest) FROM (
        {parts}
        UNION ALL SELECT count(*), max(xmin::text::bigint) FROM alembic_version
        UNION ALL SELECT count(*), max(xmin::text::bigint) FROM pg_db_role_setting
        WHERE setdatabase = (SELECT oid FROM pg_database WHERE datname = current_database())
    ) AS parts (rows, newest)
""".format(
    parts=" UNION ALL ".join(
        f"SELECT count(*), max(xmin::text::bigint) FROM {table} WHERE {column} >= 16384"
        for table, column in (
            ("pg_class", "oid"),
            ("pg_attribute", "attrelid"),
            ("pg_trigger", "oid"),
            ("pg_constraint", "oid"),
            ("pg_proc", "oid"),
            ("pg_statistic", "starelid"),
        )
    )
)
_END_OTHERS = """
    SELECT pg_terminate_backend(pid) FROM pg_stat_activity
    WHERE datname = current_database() AND pid != pg_backend_pid()
"""
_TABLES = "SELECT quote_ident(tablename) FROM pg_tables WHERE schemaname = 'public' AND tablename != 'alembic_version'"
# The largest file of a table, in bytes. An emptied table keeps its file, which would change another test's plans.
_LARGE = (
    "SELECT 1 FROM pg_class WHERE relkind IN ('r', 'i') AND oid >= 16384 AND pg_relation_size(oid) > 262144 LIMIT 1"
)


class PostgresDatabases:
    """Empty, migrated databases on one server. A test gets an emptied one, or else a copy of one migrated once."""

    def __init__(self, url: str) -> None:
        self._url = make_url(url).set(drivername="postgresql+psycopg")
        self._admin = create_engine(self._url, isolation_level="AUTOCOMMIT", poolclass=NullPool)
        self._template = ""
        self._empty: dict[str, Any] = {}  # each with the state of its catalog
        self._open: dict[str, psycopg.Connection[Any]] = {}  # a new one costs as much as all that it does here

    @contextmanager
    def fresh(self) -> Iterator[str]:
        """The address of an empty database that no other test uses meanwhile."""
        name, catalog = self._empty.popitem() if self._empty else self._copied()
        try:
            yield self._address(name)
        finally:
            if self._emptied(name, catalog):
                self._empty[name] = catalog
            else:
                self._drop(name)

    def close(self) -> None:
        for name in (*self._empty, self._template):
            if name:
                self._drop(name)
        self.disconnect()

    def disconnect(self) -> None:
        for name in list(self._open):
            self._forget(name)

    def _copied(self) -> tuple[str, Any]:
        """A new database, and the state of its catalog."""
        if not self._template:
            template = self._create("template0")
            migrate(self._address(template))
            self._template = template
        name = self._create(self._template)
        return name, self._alone_in(name).execute(_CATALOG).fetchone()

    def _emptied(self, name: str, catalog: Any) -> bool:
        """Delete every row. False means that the database has changed, so the next test must not get it."""
        connection = self._alone_in(name)
        if connection.execute(_CATALOG).fetchone() != catalog or connection.execute(_LARGE).fetchone():
            return False
        try:
            connection.execute("SET session_replication_role = replica")  # no triggers, no foreign keys
        except psycopg.errors.InsufficientPrivilege:  # on a server that is not ours
            return False
        tables = connection.execute(_TABLES).fetchall()
        connection.execute(";".join(f"DELETE FROM {table}" for (table,) in tables))
        return True

    def _alone_in(self, name: str) -> psycopg.Connection[Any]:
        """Our connection to this database, once all others have ended. A test may have ended ours as well."""
        try:
            self._open[name].execute(_END_OTHERS)
        except (KeyError, psycopg.OperationalError):
            self._forget(name)
            self._open[name] = self._connected(name)
            self._open[name].execute(_END_OTHERS)
        return self._open[name]

    def _forget(self, name: str) -> None:
        if connection := self._open.pop(name, None):
            connection.close()

    def _connected(self, name: str) -> psycopg.Connection[Any]:
        url = self._url.set(drivername="postgresql", database=name)
        return psycopg.connect(url.render_as_string(hide_password=False), autocommit=True)

    def ping(self) -> bool:
        try:
            self._execute("SELECT 1")
        except OperationalError:
            return False
        return True

    def _create(self, template: str) -> str:
        name = f"hf_{uuid4().hex}"  # one server may serve several test runs
        self._execute(f"CREATE DATABASE {name} TEMPLATE {template} STRATEGY file_copy")
        return name

    def _drop(self, name: str) -> None:
        self._forget(name)
        self._execute(f"DROP DATABASE {name} WITH (FORCE)")

    def _execute(self, statement: str) -> None:
        with self._admin.connect() as connection:
            connection.execute(text(statement))

    def _address(self, name: str) -> str:
        return self._url.set(database=name).render_as_string(hide_password=False)


@contextmanager
def postgres(guard: Guard) -> Iterator[PostgresDatabases]:
    """Databases on the server of TEST_DATABASE_URL, or else on one that ends with the block."""
    if url := os.environ.get("TEST_DATABASE_URL"):
        databases = PostgresDatabases(url)
        yield databases
        databases.close()
        return
    with own_postgres(guard, "pg") as (_, databases):
        yield databases


@contextmanager
def own_postgres(guard: Guard, name: str, **options: str) -> Iterator[tuple[Service, PostgresDatabases]]:
    """A cluster that ends with the block.

    With `synchronous_commit="on"` a test may stop and start the cluster in between, and no commit is lost.
    """
    with cluster(guard, name, options) as server:
        databases = PostgresDatabases(f"postgresql://postgres@/postgres?host={guard.folder / name}")
        eventually(lambda: server.must_live() and databases.ping(), within=30)
        yield server, databases
        databases.disconnect()
