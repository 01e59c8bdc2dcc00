"""The search: an entry for each message and each title that can be found. Triggers keep the entries (D-173).

So a transaction that stores, shows, changes or erases a text changes its entry too, whichever program runs it. A
message has an entry while it is final and shown; a title has one while it is not the default. An UPDATE that changes
neither costs nothing: the condition of its trigger does not hold.
"""

from typing import NamedTuple

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"

# Characters of a text that can be found (D-174).
_MOST = 100_000


class _Texts(NamedTuple):
    """The texts of one table. `{}` stands for the row."""

    table: str
    is_title: str
    text: str
    chat: str
    #: The condition that the row has an entry, and the columns that it reads.
    found: str
    reads: str


#: The texts that can be found.
TEXTS = (
    _Texts(
        "messages",
        "false",
        "{}.content",
        "{}.chat_session_id",
        "{0}.status IN ('completed', 'failed', 'cancelled') AND {0}.shown AND {0}.deleted_at IS NULL"
        " AND {0}.content <> ''",
        "content, status, shown, deleted_at",
    ),
    _Texts(
        "chat_sessions",
        "true",
        "{}.title",
        "{}.id",
        "{0}.title_source <> 'default' AND {0}.deleted_at IS NULL AND {0}.title <> ''",
        "title, title_source, deleted_at",
    ),
)


def upgrade() -> None:
    if op.get_bind().dialect.name == "sqlite":
        _upgrade_sqlite()
    else:
        _upgrade_postgres()


def downgrade() -> None:
    sqlite = op.get_bind().dialect.name == "sqlite"
    for texts in TEXTS:
        for event in ("insert", "update", "delete"):
            op.execute(f"DROP TRIGGER search_{texts.table}_{event}" + ("" if sqlite else f" ON {texts.table}"))
        if not sqlite:
            op.execute(f"DROP FUNCTION search_follow_{texts.table}()")
    op.execute("DROP TABLE search_entries")
    if sqlite:
        op.execute("DROP TABLE search_words")
    else:
        op.execute("DROP FUNCTION search_query(text[], boolean), search_words(uuid, integer, text), search_text(text)")


def _events(texts: _Texts) -> list[tuple[str, str, str]]:
    """The name, the moment and the condition of each trigger of a table."""
    before, after = texts.found.format("old"), texts.found.format("new")
    changed = f"{texts.text.format('old')} <> {texts.text.format('new')}"
    return [
        ("insert", "AFTER INSERT", after),
        ("update", f"AFTER UPDATE OF {texts.reads}", f"(({before}) <> ({after})) OR (({before}) AND {changed})"),
        ("delete", "AFTER DELETE", before),
    ]


def _upgrade_sqlite() -> None:
    op.execute(
        """CREATE TABLE search_entries (
            number INTEGER PRIMARY KEY, owner_id CHAR(32) NOT NULL, is_title BOOLEAN NOT NULL, seq INTEGER NOT NULL,
            id CHAR(32) NOT NULL UNIQUE, chat_session_id CHAR(32) NOT NULL)"""
    )
    # The index has no copy of the texts. `place` tells owner and kind. Vowel signs belong to their words.
    op.execute(
        """CREATE VIRTUAL TABLE search_words USING fts5(place, words, content='', columnsize=0,
            tokenize="unicode61 remove_diacritics 2 categories 'L* N* Co Mn Mc'")"""
    )
    for texts in TEXTS:
        _fill_sqlite(texts)
        forget = f"""INSERT INTO search_words (search_words, rowid, place, words)
            SELECT 'delete', number, {_sqlite_words(texts, "old")} FROM search_entries WHERE id = old.id;
            DELETE FROM search_entries WHERE id = old.id;"""
        learn = f"""INSERT INTO search_entries (owner_id, is_title, seq, id, chat_session_id)
            SELECT new.owner_id, {texts.is_title}, new.seq, new.id, {texts.chat.format("new")}
            WHERE {texts.found.format("new")};
            INSERT INTO search_words (rowid, place, words)
            SELECT number, {_sqlite_words(texts, "new")} FROM search_entries WHERE id = new.id;"""
        steps = {"insert": learn, "update": forget + learn, "delete": forget}
        for event, moment, when in _events(texts):
            op.execute(
                f"CREATE TRIGGER search_{texts.table}_{event} {moment} ON {texts.table} WHEN {when} "
                f"BEGIN {steps[event]} END"
            )


def _fill_sqlite(texts: _Texts) -> None:
    op.execute(
        f"""INSERT INTO search_entries (owner_id, is_title, seq, id, chat_session_id)
        SELECT t.owner_id, {texts.is_title}, t.seq, t.id, {texts.chat.format("t")} FROM {texts.table} t
        WHERE {texts.found.format("t")}"""
    )
    op.execute(
        f"""INSERT INTO search_words (rowid, place, words)
        SELECT number, {_sqlite_words(texts, "t")} FROM search_entries e JOIN {texts.table} t ON t.id = e.id
        WHERE e.is_title = {texts.is_title}"""
    )


def _sqlite_words(texts: _Texts, row: str) -> str:
    kind = "t" if texts.is_title == "true" else "m"
    return f"'{kind}' || {row}.owner_id, substr({texts.text.format(row)}, 1, {_MOST})"


def _upgrade_postgres() -> None:
    for statement in (_ENTRIES, _text_function(), _WORDS, _QUERY):
        op.execute(statement)
    for texts in TEXTS:
        op.execute(
            f"""CREATE FUNCTION search_follow_{texts.table}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
                IF TG_OP <> 'INSERT' AND {texts.found.format("old")} THEN
                    DELETE FROM search_entries WHERE id = old.id;
                END IF;
                IF TG_OP <> 'DELETE' AND {texts.found.format("new")} THEN
                    INSERT INTO search_entries VALUES ({postgres_entry(texts, "new")});
                END IF;
                RETURN NULL;
            END $$"""
        )
        for event, moment, when in _events(texts):
            op.execute(
                f"CREATE TRIGGER search_{texts.table}_{event} {moment} ON {texts.table} FOR EACH ROW WHEN ({when}) "
                f"EXECUTE FUNCTION search_follow_{texts.table}()"
            )
    op.execute("CREATE INDEX ix_search_entries_owner_seq ON search_entries (owner_id, is_title, seq)")
    # New entries wait in a list, which each search reads: 256 kB at most, not the usual 4 MB.
    op.execute(
        "CREATE INDEX ix_search_entries_words ON search_entries USING gin (words) "
        "WITH (gin_pending_list_limit = 256) WHERE NOT is_title"
    )


def postgres_entry(texts: _Texts, row: str) -> str:
    """The columns of the entry of a row. The migration 0012 fills the table with them."""
    words = f"search_words({row}.owner_id, {row}.seq, {texts.text.format(row)})"
    return f"{row}.owner_id, {texts.is_title}, {row}.seq, {row}.id, {texts.chat.format(row)}, {words}"


_ENTRIES = """CREATE TABLE search_entries (
    owner_id uuid NOT NULL, is_title boolean NOT NULL, seq integer NOT NULL, id uuid PRIMARY KEY,
    chat_session_id uuid NOT NULL, words tsvector NOT NULL)"""


def _text_function() -> str:
    """The text as its words are compared: small letters, no accents, no marks, and each Chinese letter alone.

    The database's own locale may be `C`, which knows no letters but ASCII's. So another collation makes letters small.
    """
    known = "SELECT collname FROM pg_collation WHERE collname IN ('pg_c_utf8', 'und-x-icu') ORDER BY collname LIMIT 1"
    collation = op.get_bind().scalar(sa.text(known)) or "default"
    return rf"""CREATE FUNCTION search_text(given text) RETURNS text LANGUAGE plpgsql IMMUTABLE AS $$
        DECLARE found text := regexp_replace(given, '[!-/:-@[-`{{-~]+', ' ', 'g');
        BEGIN
            IF octet_length(found) = length(found) THEN
                RETURN lower(found COLLATE "C");
            END IF;
            found := normalize(regexp_replace(normalize(found, NFD), '[\u0300-\u036f]', '', 'g'), NFC);
            found := left(found, {_MOST});  -- some signs become three, and a tsvector holds 1 MiB
            found := regexp_replace(found, '[\u0080-\u00a9\u00ab-\u00b1\u00b4\u00b6-\u00b8\u00bb-\u00bf\u00d7\u00f7'
                '\u2000-\u206f\u2190-\u2bff\u2e00-\u2e7f\u3000-\u3004\u3007-\u3020\u3030\ufe10-\ufe1f\ufe30-\ufe6f\ufeff'
                '\uff01-\uff0f\uff1a-\uff20\uff3b-\uff40\uff5b-\uff65\U0001f000-\U0001faff]+', ' ', 'g');
            found := regexp_replace(found, '([\u2e80-\u2fdf\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff'
                '\U00020000-\U0003ffff])', ' \1 ', 'g');
            RETURN lower(found COLLATE "{collation}");
        END $$"""


# The lexemes with an @ tell the owner, and the part of the owner's numbers in which the row lies. So a search reads no
# entry of anybody else, and none that is older than it needs (D-176). No word of a text has an @. PostgreSQL
# inlines the function, as long as each part of it is immutable.
_WORDS = f"""CREATE FUNCTION search_words(owner_id uuid, seq integer, given text) RETURNS tsvector
    LANGUAGE sql IMMUTABLE AS $$
    SELECT to_tsvector('simple', search_text(left(given, {_MOST}))) || array_to_tsvector(ARRAY[
        owner_id::text || '@', owner_id::text || '@11.' || (seq >> 11)::text,
        owner_id::text || '@14.' || (seq >> 14)::text, owner_id::text || '@17.' || (seq >> 17)::text])
    $$"""
# Each given text is a phrase, and all must be there. If the last one is open, it may go on.
_QUERY = """CREATE FUNCTION search_query(given text[], is_open boolean) RETURNS tsquery LANGUAGE plpgsql IMMUTABLE AS $$
    DECLARE found tsquery := ''; phrase tsquery;
    BEGIN
        FOR place IN 1 .. cardinality(given) LOOP
            phrase := phraseto_tsquery('simple', search_text(given[place]));
            IF is_open AND place = cardinality(given) AND numnode(phrase) > 0 THEN
                phrase := (phrase::text || ':*')::tsquery;
            END IF;
            found := found && phrase;
        END LOOP;
        RETURN found;
    END $$"""
