"""`python -m benchmarks.search`: searches in a million messages of one owner, and of a thousand. See README.md."""

import hashlib
import os
import random
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from flask.testing import FlaskClient
from sqlalchemy import text

from benchmarks.lab.limits import NO_LIMITS
from benchmarks.lab.processes import BOTH_CORES, Processes
from benchmarks.lab.signed_in import signed_in
from benchmarks.lab.systems import migrate_once_it_is_up, run_folder, start_postgres
from shared.database.units import execute, write_unit

MESSAGES, OWNERS = 1_000_000, (1, 1_000)
CALLS = 200  # calls of each kind
PER_CHAT, WORDS, VOCABULARY = 200, 20, 30_000
# This address has no Redis. No search needs one.
_SETTINGS = {"HOLDFAST_ENV": "test", "REDIS_URL": "redis://127.0.0.1:1/0", "SECRET_KEY": "benchmark" * 5, **NO_LIMITS}


# Words begin alike about as often as English ones.
_LETTERS = str.maketrans("0123456789", "ghijklmnop")


def word(chance: random.Random) -> str:
    """A word as often as in a language: the second one half as often as the first, the third a third as often."""
    number = int(VOCABULARY ** chance.random())
    return hashlib.md5(str(number).encode()).hexdigest()[:7].translate(_LETTERS)


SEARCHES: dict[str, Callable[[random.Random], str]] = {
    "one word": lambda chance: f"{word(chance)} ",
    "two words": lambda chance: f"{word(chance)} {word(chance)} ",
    "an unfinished word": lambda chance: f"{word(chance)} {word(chance)[:3]}",
    "a phrase": lambda chance: f'"{word(chance)} {word(chance)}"',
    "no such word": lambda chance: f"{word(chance)} nowhere{chance.random()} ",
}


def main() -> None:
    """Fill one database for each number of owners, search, and print one table."""
    messages = int(sys.argv[1]) if sys.argv[1:] else MESSAGES
    print(f"{messages:,} messages of {WORDS} words; p50 / p95 of {CALLS} calls, ms\n")
    print(" | ".join(("owners", *(f"{kind:18}" for kind in SEARCHES))))
    for owners in OWNERS:
        with _filled(messages, owners) as client:
            figures = [_figures(_measure(client, make)) for make in SEARCHES.values()]
        print(" | ".join((f"{owners:6,}", *(f"{each:18}" for each in figures))), flush=True)
    print(f"\nload average {os.getloadavg()[0]:.0f} on {os.cpu_count()} cores")


@contextmanager
def _filled(messages: int, owners: int) -> Iterator[FlaskClient]:
    """A client of the first of so many owners."""
    with run_folder() as folder:
        processes = Processes(_made(folder / "run"), cores=BOTH_CORES)
        url = start_postgres(processes)
        migrate_once_it_is_up(url)
        with signed_in(processes, {"DATABASE_URL": url} | _SETTINGS, lambda: _fill(messages, owners)) as client:
            yield client


def _made(folder: Path) -> Path:
    folder.mkdir(mode=0o755)
    return folder


_FIRST = "00000001-0000-7000-8000-000000000000"
_ID = "CAST(lpad(to_hex({}), 8, '0') || '70008000' || lpad(to_hex({}), 16, '0') AS uuid)"
_OWNER = "CAST(lpad(to_hex(1 + n / {per_chat} % :owners), 8, '0') || '-0000-7000-8000-000000000000' AS uuid)"
_SEQ = "n / {per_chat} / :owners * {per_chat} + n % {per_chat}"
_WORD = "translate(left(md5(CAST(CAST(floor({vocabulary} ^ random()) AS int) AS text)), 7), '0123456789', 'ghijklmnop')"
_TEXT = f"(SELECT string_agg({_WORD}, ' ') FROM generate_series(1, {{words}} + n - n))"
# The triggers rest meanwhile, and one statement makes all entries: that takes a third of the time.
_STEPS = (
    "SET session_replication_role = replica",
    "SET statement_timeout = 0",
    "SELECT setseed(0.5)",
    """INSERT INTO users (id, email, role, credits, held, seq, created_at, updated_at)
    SELECT {owner}, n || '@example.org', 'user', 0, 0, :messages / :owners, now(), now()
    FROM generate_series(0, :owners * {per_chat} - 1, {per_chat}) n""",
    """INSERT INTO chat_sessions (id, display_id, owner_id, title, title_source, settings, next_position, seq, seen_seq,
        last_active_at, created_at, updated_at)
    SELECT {chat}, 'c-' || n, {owner}, 'About ' || {text}, 'user', '{{}}', {per_chat}, {seq}, 0, now(), now(), now()
    FROM generate_series(0, :messages - 1, {per_chat}) n""",
    """INSERT INTO messages (id, chat_session_id, owner_id, position, message_type, status, content, version, shown,
        credits_held, credits_charged, seq, created_at, updated_at, completed_at, attempt, failures, drains, handovers,
        live_index)
    SELECT {message}, {chat}, {owner}, n % {per_chat}, 'user', 'completed', {text}, 1, true, 0, 0, {seq}, now(), now(),
        now(), 0, 0, 0, 0, 0
    FROM generate_series(0, :messages - 1) n""",
    "DROP INDEX ix_search_entries_words",
    """INSERT INTO search_entries
    SELECT owner_id, false, seq, id, chat_session_id, search_words(owner_id, seq, content) FROM messages""",
    """INSERT INTO search_entries
    SELECT owner_id, true, seq, id, id, search_words(owner_id, seq, title) FROM chat_sessions""",
    "CREATE INDEX ix_search_entries_words ON search_entries USING gin (words) WHERE NOT is_title",
    "ANALYZE",
)


def _fill(messages: int, owners: int) -> str:
    """Fill the database. Returns the id of the first owner."""
    sizes = {"per_chat": PER_CHAT, "words": WORDS, "vocabulary": VOCABULARY}
    parts = {"owner": _OWNER.format(**sizes), "text": _TEXT.format(**sizes), "seq": _SEQ.format(**sizes), **sizes}
    parts |= {"chat": _ID.format(1, f"n / {PER_CHAT}"), "message": _ID.format(2, "n")}
    with write_unit():
        for step in _STEPS:
            statement = text(step.format(**parts))
            names = {"messages": messages, "owners": owners}
            execute(statement, {name: names[name] for name in statement.compile().params})
        execute(text("SET session_replication_role = DEFAULT"))
    return _FIRST


def _measure(client: FlaskClient, make: Callable[[random.Random], str]) -> list[float]:
    chance, taken = random.Random(7), list[float]()
    for call in range(-20, CALLS):  # the first calls warm up
        q = make(chance)
        began = time.perf_counter()
        answer = client.get("/search", query_string={"q": q})
        if call >= 0:
            taken.append(1000 * (time.perf_counter() - began))
        assert answer.status_code == 200, answer.text
    return taken


def _figures(times: list[float]) -> str:
    return f"{statistics.median(times):.1f} / {statistics.quantiles(times, n=20)[18]:.1f}"


if __name__ == "__main__":
    main()
