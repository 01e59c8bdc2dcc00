"""Both databases take the same characters for letters of a search, and the same letters for equal (D-233, D-234).

PostgreSQL's function learns all marks of Unicode, and that both small sigmas are one letter. Entries of texts that have
only ASCII stay as they are. The others are made anew in batches, while the other programs run. A search may miss such a
text until its batch is done. SQLite's index is made anew at once, with separators that FTS5 does not know by itself.
"""

import unicodedata
from collections.abc import Iterator
from importlib import import_module
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"

_search = import_module("shared.migrations.versions.0011_search")
# Rows of a batch. With the longest texts, a batch takes some seconds.
_BATCH = 100
# No letters, although they have the category of vowel signs or none yet: the variants of a character, the letters of a
# flag, and all emoji, those of later years too.
_NO_LETTERS = ((0x180B, 0x180F), (0xFE00, 0xFE0F), (0x1F000, 0x1F0FF), (0x1F10D, 0x1FAFF), (0xE0000, 0xE01EF))


def upgrade() -> None:
    if op.get_bind().dialect.name == "sqlite":
        _index_anew(f" separators '{_separators()}'")
    else:
        op.execute(_text_function())
        _make_entries_anew()


def downgrade() -> None:
    if op.get_bind().dialect.name == "sqlite":
        _index_anew("")
    else:
        op.execute(_search._text_function().replace("CREATE FUNCTION", "CREATE OR REPLACE FUNCTION"))
        _make_entries_anew()


def _index_anew(separators: str) -> None:
    op.execute("DROP TABLE search_words")
    op.get_bind().exec_driver_sql(
        f"""CREATE VIRTUAL TABLE search_words USING fts5(place, words, content='', columnsize=0,
            tokenize="unicode61 remove_diacritics 2 categories 'L* N* Co Mn Mc'{separators}")"""
    )
    for texts in _search.TEXTS:
        op.execute(
            f"""INSERT INTO search_words (rowid, place, words)
            SELECT number, {_search._sqlite_words(texts, "t")} FROM search_entries e
            JOIN {texts.table} t ON t.id = e.id WHERE e.is_title = {texts.is_title}"""
        )


def _separators() -> str:
    """The characters that are no letters. FTS5 keeps those that it would take for letters: it has Unicode of 2012."""
    return "".join(chr(code) for first, last in _marks() for code in range(first, last + 1))


def _marks() -> Iterator[tuple[int, int]]:
    """All blanks, punctuation, symbols and controls beyond ASCII, as ranges."""
    first = None
    for code in range(0x80, 0x10000):
        if _is_mark(code):
            first = first or code
        elif first:
            yield first, code - 1
            first = None
    yield from _NO_LETTERS


def _is_mark(code: int) -> bool:
    category = unicodedata.category(chr(code))
    return category[0] in "PSZ" or category in {"Cc", "Cf", "Me"}


def _text_function() -> str:
    """The text as its words are compared: small letters, no accents, no marks, and each Chinese letter alone."""
    known = "SELECT collname FROM pg_collation WHERE collname IN ('pg_c_utf8', 'und-x-icu') ORDER BY collname LIMIT 1"
    collation = op.get_bind().scalar(sa.text(known)) or "default"
    marks = "".join(f"\\U{first:08x}-\\U{last:08x}" for first, last in _marks())
    others, rows = _other_small_letters(), _combining_marks()
    return rf"""CREATE OR REPLACE FUNCTION search_text(given text) RETURNS text LANGUAGE plpgsql IMMUTABLE AS $$
        DECLARE found text := regexp_replace(given, '[!-/:-@[-`{{-~]+', ' ', 'g');
        BEGIN
            IF octet_length(found) = length(found) THEN
                RETURN lower(found COLLATE "C");
            END IF;
            IF found ~ '[{rows}]{{31}}' THEN  -- to put many marks in order takes long
                found := regexp_replace(found, '([{rows}]{{30}})[{rows}]+', '\1', 'g');
            END IF;
            found := normalize(regexp_replace(normalize(found, NFD), '[\u0300-\u036f]', '', 'g'), NFC);
            found := left(found, {_search._MOST});  -- some signs become three, and a tsvector holds 1 MiB
            found := regexp_replace(found, '[{marks}]+', ' ', 'g');
            found := lower(found COLLATE "{collation}");
            IF found ~ '[{"".join(others)}]' THEN  -- few texts have one, and translate() is slow
                found := translate(found, '{"".join(others)}', '{"".join(others.values())}');
            END IF;
            RETURN regexp_replace(found, '([\u2e80-\u2fdf\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff'
                '\U00020000-\U0003ffff])', ' \1 ', 'g');
        END $$"""


def _combining_marks() -> str:
    """All combining marks, as the inside of a pattern's `[…]`. PostgreSQL would sort a long row of them for minutes."""
    is_mark = [unicodedata.category(chr(code))[0] == "M" for code in range(0x20000)]
    first = [code for code in range(0x300, 0x1FFFF) if is_mark[code] > is_mark[code - 1]]
    last = [code for code in range(0x300, 0x1FFFF) if is_mark[code] > is_mark[code + 1]]
    return "".join(f"\\U{start:08x}-\\U{end:08x}" for start, end in zip(first, last, strict=True))


def _other_small_letters() -> dict[str, str]:
    """The small letters that share their capital letter with another small one, as the final sigma; and the other."""
    letters = ((letter, letter.casefold()) for letter in map(chr, range(0x80, 0x10000)) if letter.islower())
    return {letter: other for letter, other in letters if len(other) == 1 and other.lower() != letter}


def _make_entries_anew() -> None:
    with op.get_context().autocommit_block():
        for texts in _search.TEXTS:
            last: UUID | None = UUID(int=0)
            while last:
                last = _make_anew_after(texts, last)


def _make_anew_after(texts: Any, last: UUID) -> UUID | None:
    """Make the words of the entries that follow by id. Returns the last of them; None if no row is left."""
    content = texts.text.format("t")
    batch = sa.text(
        f"""WITH batch AS MATERIALIZED (
            SELECT id FROM search_entries WHERE is_title = {texts.is_title} AND id > :last ORDER BY id LIMIT {_BATCH}),
        made AS (
            UPDATE search_entries e SET words = search_words(e.owner_id, e.seq, {content})
            FROM {texts.table} t WHERE t.id = e.id AND e.id IN (SELECT id FROM batch)
                AND octet_length({content}) <> length({content}))
        SELECT id FROM batch ORDER BY id DESC LIMIT 1"""
    )
    found: UUID | None = op.get_bind().scalar(batch, {"last": last})
    return found
