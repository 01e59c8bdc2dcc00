"""`python -m benchmarks.sync`: the cost of `GET /sync` with a long history and a short one. README.md says more."""

import os
import statistics
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import text

from api.access import tokens
from api.app import create_app
from benchmarks.lab.limits import NO_LIMITS
from benchmarks.lab.processes import BOTH_CORES, Processes
from benchmarks.lab.systems import migrate_once_it_is_up, run_folder, start_postgres
from shared.actions.accounts.create import create_account
from shared.database.tables import db
from shared.database.units import execute, write_unit
from shared.settings import load_settings

SHORT, LONG = 1_000, 1_000_000
CALLS = 400  # calls of each kind and history, which take turns
CHANGED = 20  # rows since the last call
PER_CHAT = 200
# This address has no Redis. No reply runs, so no call needs one.
_SETTINGS = {"HOLDFAST_ENV": "test", "REDIS_URL": "redis://127.0.0.1:1/0", "SECRET_KEY": "benchmark" * 5, **NO_LIMITS}

_SERIES = {
    "sqlite": "WITH RECURSIVE series(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM series WHERE n < :rows)",
    "postgresql": "WITH series(n) AS (SELECT generate_series(1, :rows))",
}
# An id that says which row it is of, as each database keeps ids.
_ID = {"sqlite": "printf('%08x', {kind}) || printf('%024x', {n})", "postgresql": "CAST({padded} AS uuid)"}
_PADDED = "lpad(to_hex({kind}), 8, '0') || lpad(to_hex({n}), 24, '0')"


def main() -> None:
    """Fill both databases with both histories, ask in turns, and print one table."""
    print(f"{CHANGED} rows changed; p50 / p99 of {CALLS} calls, ms\n")
    print(" | ".join(("database  ", f"{SHORT:,} messages", f"{LONG:,} messages", "ratio of p50")))
    for kind in ("sqlite", "postgresql"):
        with ExitStack() as stack:
            folder = stack.enter_context(run_folder())
            asked = [stack.enter_context(_history(kind, rows, folder / str(rows))) for rows in (SHORT, LONG)]
            short, long = _measure(asked)
            ratio = statistics.median(long) / statistics.median(short)
            print(f"{kind:10} | {_figures(short):14} | {_figures(long):18} | {ratio:.2f}", flush=True)


@contextmanager
def _history(kind: str, rows: int, folder: Path) -> Iterator[tuple[FlaskClient, str]]:
    """A client of a user with so many messages, and the address to ask."""
    folder.mkdir(mode=0o755)
    processes = Processes(folder, cores=BOTH_CORES)
    url = start_postgres(processes) if kind == "postgresql" else f"sqlite:///{folder}/db.sqlite"
    migrate_once_it_is_up(url)
    os.environ |= {"DATABASE_URL": url} | _SETTINGS
    app = create_app(load_settings())
    try:
        with app.app_context():
            user_id = create_account("bench@example.org", "no password fits this").id
            _fill(kind, user_id, rows)
        yield _client(app, user_id), f"/sync?after={rows - CHANGED}"
    finally:
        with app.app_context():
            db.engine.dispose()
        processes.stop()


def _fill(kind: str, user_id: str, rows: int) -> None:
    series, values = _SERIES[kind], {"user": user_id.replace("-", ""), "rows": rows, "chats": rows // PER_CHAT}
    chats = f"""INSERT INTO chat_sessions (id, display_id, owner_id, title, title_source, settings, next_position, seq,
        seen_seq, last_active_at, created_at, updated_at)
        {series} SELECT {_id(kind, 1, "n")}, 'c-' || n, {_user(kind)}, 'A chat', 'user', '{{}}', {PER_CHAT},
        n * {PER_CHAT}, 0, CURRENT_TIMESTAMP, CURRENT_TIMESTAMP, CURRENT_TIMESTAMP FROM series WHERE n <= :chats"""
    messages = f"""INSERT INTO messages (id, chat_session_id, owner_id, position, message_type, status, content,
        version, shown, credits_held, credits_charged, seq, created_at, updated_at, completed_at, attempt, failures,
        drains, handovers, live_index)
        {series} SELECT {_id(kind, 2, "n")}, {_id(kind, 1, f"(1 + (n - 1) / {PER_CHAT})")}, {_user(kind)},
        n % {PER_CHAT}, 'user', 'completed', 'What was said, in about as many words as people use for a question.', 1,
        true, 0, 0, n, CURRENT_TIMESTAMP, CURRENT_TIMESTAMP, CURRENT_TIMESTAMP, 0, 0, 0, 0, 0 FROM series"""
    with write_unit():
        execute(text("SET LOCAL statement_timeout = 0" if kind == "postgresql" else "SELECT 1"))
        execute(text(chats), values)
        execute(text(messages), values)
        execute(text("UPDATE users SET seq = :rows"), values)
    if kind == "postgresql":  # as PostgreSQL's own autovacuum would, a minute later
        with write_unit():
            execute(text("ANALYZE"))


def _id(kind: str, table: int, n: str) -> str:
    return _ID[kind].format(kind=table, n=n, padded=_PADDED.format(kind=table, n=n))


def _user(kind: str) -> str:
    return ":user" if kind == "sqlite" else "CAST(:user AS uuid)"


def _client(app: Flask, user_id: str) -> FlaskClient:
    client = app.test_client()
    token = tokens.issue(app.config["HOLDFAST"].secret_key, tokens.ACCESS, user_id, 3600)
    client.environ_base["HTTP_AUTHORIZATION"] = f"Bearer {token}"
    return client


def _measure(asked: list[tuple[FlaskClient, str]]) -> list[list[float]]:
    taken: list[list[float]] = [[], []]
    for call in range(-20, CALLS):  # the first calls warm up
        for (client, path), times in zip(asked, taken, strict=True):
            began = time.perf_counter()
            answer = client.get(path)
            if call >= 0:
                times.append(1000 * (time.perf_counter() - began))
            assert len(answer.json["messages"]) == CHANGED, answer.text
    return taken


def _figures(times: list[float]) -> str:
    return f"{statistics.median(times):.2f} / {statistics.quantiles(times, n=100)[98]:.2f}"


if __name__ == "__main__":
    main()
