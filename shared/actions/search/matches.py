"""Asks the database for the newest matches of a search. Each kind of database has one statement of its own for that."""

import sqlite3
from collections.abc import Mapping
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import Engine, Integer, Select, Subquery, Uuid, bindparam, column, event, func, select, text

from shared.actions.search.fts5 import for_fts5
from shared.actions.search.words import Words, has_part
from shared.database.prepared import Rows
from shared.database.tables import db
from shared.database.units import query
from shared.models.chat import chat_sessions
from shared.models.message import messages
from shared.models.user import account_of, owner_deleted_at

#: Matches that are ranked together.
BLOCK = 200
#: Characters of each text that are read for its rank.
HEAD = 1_000
#: Numbers of `seq` that PostgreSQL reads in turn, the newest ones, before it asks the index of words (D-176).
NEAR = 4_096
# The next look is at so many times more numbers, at most.
_GROWTH = 64
# A look is at so many times the numbers that the matches so far call for. Each match costs a page of the table (D-213).
_SPARE = 1.2
# The index knows in which part of the owner's numbers an entry lies, for parts of so many bits. A look takes the
# smallest parts of which a few are enough.
_BITS, _PARTS = (11, 14, 17), 16


class Match(NamedTuple):
    """A message or a title with the searched words, and the beginning of its text. Of a title, `id` is the chat's.

    `seq` is the number that the row had when its text became what it is.
    """

    id: str
    chat_session_id: str
    title: str
    head: str
    created_at: datetime
    seq: int


def newest_matches(user_id: str, words: Words, *, is_title: bool, lowest: int, below: int) -> Rows[Match]:
    """The newest matches of this user, a block at most: titles or messages with a `seq` of `lowest` up to `below`.

    The rows of a deleted chat or account are no matches, even before the sweeper has erased them.
    """
    values = {"owner": user_id, "is_title": is_title, "since": lowest, "below": below, "most": BLOCK}
    wanted = _WANTED[is_title]
    if db.engine.dialect.name == "sqlite":
        place = f"{'mt'[is_title]}{user_id.replace('-', '')}"
        return query(wanted["sqlite"], values | for_fts5(words, place), row=Match)
    values |= {"parts": words.parts, "is_open": words.is_open}
    if is_title:
        return query(wanted["near"], values, row=Match)
    account, found = account_of(user_id), Rows[Match]()
    top = below = min(below, account.seq + 1 if account else 0)
    span = NEAR
    while below > lowest and len(found) < BLOCK:
        since, places = _part(user_id, below, span)
        values |= {"since": max(lowest, since), "below": below, "places": places, "most": BLOCK - len(found)}
        found += query(wanted["near" if below == top else "far"], values, row=Match)
        below, seen = since, top - since
        span = min(_GROWTH * seen, int(_SPARE * seen * BLOCK / max(1, len(found))) - seen)
    return found


def _part(user_id: str, below: int, span: int) -> tuple[int, str]:
    """The first of about so many numbers below this one, and the lexemes of the parts in which they lie."""
    since = max(0, below - span)
    for bits in _BITS:
        first, last = since >> bits, (below - 1) >> bits
        if last - first < _PARTS:
            return first << bits, " | ".join(f"'{user_id}@{bits}.{part}'" for part in range(first, last + 1))
    return 0, f"'{user_id}@'"


@event.listens_for(Engine, "connect")
def _teach_sqlite(connection: Any, _record: Any) -> None:
    """Let a statement look for a part of which FTS5 knows no words, or too many (D-223)."""
    if isinstance(connection, sqlite3.Connection):
        connection.create_function("has_part", 3, lambda text, part, open_: has_part(text, part, is_open=bool(open_)))


_SQL = {
    # The entries in turn, until enough of them match. Frequent words and the beginnings of words soon do.
    "near": """SELECT e.id, e.seq FROM search_entries e
        JOIN chat_sessions c ON c.id = e.chat_session_id AND c.deleted_at IS NULL
        WHERE e.owner_id = :owner AND e.is_title = :is_title AND e.seq >= :since AND e.seq < :below
            AND e.words @@ (SELECT search_query(:parts, :is_open))
        ORDER BY e.seq DESC LIMIT :most""",
    # The entries that the index of words finds. Without MATERIALIZED, PostgreSQL might read them in turn here, too.
    "far": """WITH e AS MATERIALIZED (
            SELECT owner_id, seq, id, chat_session_id FROM search_entries WHERE NOT is_title AND words @@ (
                SELECT CASE WHEN numnode(searched) > 0 THEN searched && CAST(:places AS tsquery) END
                FROM search_query(:parts, :is_open) searched)
        ) SELECT e.id, e.seq FROM e JOIN chat_sessions c ON c.id = e.chat_session_id AND c.deleted_at IS NULL
        WHERE e.owner_id = :owner AND e.seq >= :since AND e.seq < :below ORDER BY e.seq DESC LIMIT :most""",
    # The index of words comes first. It holds no Chinese words, so the texts themselves must have those.
    "sqlite": """SELECT e.id, e.seq FROM search_words
        CROSS JOIN search_entries e ON e.number = search_words.rowid
        CROSS JOIN chat_sessions c ON c.id = e.chat_session_id AND c.deleted_at IS NULL
        LEFT JOIN messages m ON m.id = e.id
        WHERE search_words MATCH :match
            AND e.owner_id = :owner AND e.is_title = :is_title AND e.seq >= :since AND e.seq < :below
            AND NOT EXISTS (
                SELECT 1 FROM json_each(:letters) WHERE instr(coalesce(m.content, c.title), value) = 0)
            AND NOT EXISTS (
                SELECT 1 FROM (SELECT coalesce(m.content, c.title) AS content), (
                    SELECT json_extract(value, '$[0]') AS part, json_extract(value, '$[1]') AS is_plain,
                        json_extract(value, '$[2]') AS is_open FROM json_each(:parts))
                WHERE NOT (is_plain AND instr(content, part)) AND NOT has_part(content, part, is_open))
        ORDER BY e.seq DESC LIMIT :most""",
}


def _found(name: str) -> Subquery:
    columns = column("id", Uuid(as_uuid=False)), column("seq", Integer)
    return text(_SQL[name]).bindparams(_OWNER).columns(*columns).subquery("found")


_OWNER = bindparam("owner", type_=Uuid(as_uuid=False))
_IN_USE = owner_deleted_at(_OWNER).is_(None)


def _titles(found: Subquery) -> Select[Any]:
    chat = chat_sessions.c
    columns = (chat.id, chat.id.label("chat_session_id"), chat.title, chat.title.label("head"), chat.created_at)
    return select(*columns, found.c.seq).join(found, found.c.id == chat.id).where(_IN_USE).order_by(found.c.seq.desc())


def _messages(found: Subquery) -> Select[Any]:
    message, head = messages.c, func.substr(messages.c.content, 1, HEAD).label("head")
    columns = (message.id, message.chat_session_id, chat_sessions.c.title, head, message.created_at)
    there = select(*columns, found.c.seq).join(found, found.c.id == message.id).where(_IN_USE)
    return there.join(chat_sessions, chat_sessions.c.id == message.chat_session_id).order_by(found.c.seq.desc())


_WANTED: Mapping[bool, dict[str, Select[Any]]] = {
    is_title: {name: (_titles if is_title else _messages)(_found(name)) for name in _SQL} for is_title in (True, False)
}
