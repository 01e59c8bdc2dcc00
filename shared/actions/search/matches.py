"""Asks the database for the newest matches of a search. Each kind of database has one statement of its own for that."""

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import Select, Subquery, Uuid, bindparam, column, func, select, text

from shared.actions.search.words import Words
from shared.database.prepared import Rows
from shared.database.tables import db
from shared.database.units import query
from shared.models.chat import chat_sessions
from shared.models.message import messages

#: Matches that are ranked together.
BLOCK = 200
#: No id lies above the first, and none below the second.
NEWEST, OLDEST = UUID(int=2**128 - 1), UUID(int=0)
# Characters of each text that are read for its rank.
_HEAD = 1_000
# Newest entries that PostgreSQL looks through first. Frequent words have a block of matches there (D-193).
_NEAR = 2_000


class Match(NamedTuple):
    """A message or a title with the searched words, and the beginning of its text. Of a title, `id` is the chat's."""

    id: str
    chat_session_id: str
    title: str
    head: str
    created_at: datetime


def newest_matches(user_id: str, words: Words, *, is_title: bool, below: UUID, lowest: UUID) -> Rows[Match]:
    """The newest matches of this user, a block at most: titles or messages with an id from `lowest` on, before `below`.

    The rows of a deleted chat are no matches, even before the sweeper has erased them.
    """
    values = {"owner": user_id, "is_title": is_title, "below": str(below), "lowest": str(lowest), "most": BLOCK}
    wanted = _WANTED[is_title]
    if db.engine.dialect.name == "sqlite":
        return query(wanted["sqlite"], values | _for_sqlite(user_id, words, is_title), row=Match)
    values |= {"parts": words.parts, "is_open": words.is_open, "near": _NEAR}
    near = query(wanted["near"], values, row=Match)
    return near if len(near) == BLOCK else query(wanted["all"], values, row=Match)


def _for_sqlite(user_id: str, words: Words, is_title: bool) -> dict[str, Any]:
    """The query in the language of FTS5, and the parts for which that has no words: Chinese has no blanks (D-194)."""
    index = [part for part in words.parts if part not in words.unspaced]
    quoted = [f'"{part.replace(chr(34), "")}"' for part in index]
    if quoted and words.is_open and index[-1] == words.parts[-1]:
        quoted[-1] += " *"
    place = f'place : "{"mt"[is_title]}{user_id.replace("-", "")}"'
    match = " AND ".join([place, *(f"words : {phrase}" for phrase in quoted)])
    return {"match": match, "unspaced": json.dumps(words.unspaced, ensure_ascii=False)}


_SQL = {
    # The newest entries in turn, until enough of them match.
    "near": """SELECT e.id FROM (
            SELECT id, chat_session_id, words FROM search_entries
            WHERE owner_id = :owner AND is_title = :is_title AND id < :below AND id >= :lowest
            ORDER BY id DESC LIMIT :near
        ) e JOIN chat_sessions c ON c.id = e.chat_session_id AND c.deleted_at IS NULL
        WHERE e.words @@ (SELECT search_query(:parts, :is_open)) ORDER BY e.id DESC LIMIT :most""",
    # All entries that the index of words finds. Without MATERIALIZED, PostgreSQL might read them in turn, too.
    "all": """WITH e AS MATERIALIZED (
            SELECT owner_id, is_title, id, chat_session_id FROM search_entries WHERE words @@ (
                SELECT CASE WHEN numnode(searched) > 0 THEN searched && place END
                FROM search_query(:parts, :is_open) searched,
                    CAST(quote_literal(CASE WHEN :is_title THEN 't@' ELSE 'm@' END || :owner) AS tsquery) place)
        ) SELECT e.id FROM e JOIN chat_sessions c ON c.id = e.chat_session_id AND c.deleted_at IS NULL
        WHERE e.owner_id = :owner AND e.is_title = :is_title AND e.id < :below AND e.id >= :lowest
        ORDER BY e.id DESC LIMIT :most""",
    # The index of words comes first. It holds no Chinese words, so the texts themselves must have those.
    "sqlite": """SELECT e.id FROM search_words
        CROSS JOIN search_entries e ON e.number = search_words.rowid
        CROSS JOIN chat_sessions c ON c.id = e.chat_session_id AND c.deleted_at IS NULL
        LEFT JOIN messages m ON m.id = e.id
        WHERE search_words MATCH :match
            AND e.owner_id = :owner AND e.is_title = :is_title AND e.id < :below AND e.id >= :lowest
            AND NOT EXISTS (
                SELECT 1 FROM json_each(:unspaced) WHERE instr(coalesce(m.content, c.title), value) = 0)
        ORDER BY e.id DESC LIMIT :most""",
}
_TYPES = {name: Uuid(as_uuid=False) for name in ("owner", "below", "lowest")}


def _found(name: str) -> Subquery:
    sql = text(_SQL[name])
    typed = [bindparam(name, type_=kind) for name, kind in _TYPES.items()]
    return sql.bindparams(*typed).columns(column("id", Uuid(as_uuid=False))).subquery("found")


def _titles(found: Subquery) -> Select[Any]:
    chat = chat_sessions.c
    columns = (chat.id, chat.id.label("chat_session_id"), chat.title, chat.title.label("head"), chat.created_at)
    return select(*columns).join(found, found.c.id == chat.id).order_by(chat.id.desc())


def _messages(found: Subquery) -> Select[Any]:
    message, head = messages.c, func.substr(messages.c.content, 1, _HEAD).label("head")
    columns = (message.id, message.chat_session_id, chat_sessions.c.title, head, message.created_at)
    there = select(*columns).join(found, found.c.id == message.id)
    return there.join(chat_sessions, chat_sessions.c.id == message.chat_session_id).order_by(message.id.desc())


_WANTED: Mapping[bool, dict[str, Select[Any]]] = {
    is_title: {name: (_titles if is_title else _messages)(_found(name)) for name in _SQL} for is_title in (True, False)
}
