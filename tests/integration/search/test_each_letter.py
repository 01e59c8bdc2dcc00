"""Each letter of 16 bits is compared alike by the database, which finds, and by Words, which ranks and marks."""

from collections import defaultdict
from unicodedata import normalize, ucd_3_2_0

import pytest
from flask import Flask
from sqlalchemy import text

from shared.actions.search.folded import fold
from shared.database.units import execute, query, write_unit

# Chinese letters, Korean syllables and private letters have no case. Letters after Unicode 3.2 are missing, because
# Python and the database may have learned them in different years.
PARTS = (range(0xAA, 0x2E80), range(0xA000, 0xAC00), range(0xFB00, 0x10000))
LETTERS = [
    letter for part in PARTS for letter in map(chr, part) if letter.isalnum() and ucd_3_2_0.category(letter) != "Cn"
]


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_postgresql_compares_each_letter_as_the_places_are_looked_for(core: Flask) -> None:
    kept = str(query(text("SELECT search_text(:letters)"), {"letters": "\n".join(LETTERS)}).scalar()).split("\n")
    assert len(kept) == len(LETTERS)
    folds = [fold(normalize("NFC", letter)) for letter in LETTERS]
    assert all("".join(each.split()) for each in kept), "each letter is a letter there, too"
    assert differing(kept, folds) == differing(folds, kept) == {}


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_sqlite_takes_no_two_letters_for_one_that_are_two_where_places_are_looked_for(core: Flask) -> None:
    rows = [{"row": number, "word": f"1{letter}"} for number, letter in enumerate(LETTERS)]
    with write_unit() as connection:
        connection.execute(text("INSERT INTO search_words (rowid, words) VALUES (:row, :word)"), rows)
        execute(text("CREATE VIRTUAL TABLE temp.terms USING fts5vocab(main, search_words, instance)"))
        terms = dict(tuple(row) for row in connection.execute(text("SELECT doc, term FROM temp.terms")))
    assert len(terms) == len(LETTERS)
    kept = [terms[number] for number in range(len(LETTERS))]
    assert differing(kept, [fold(normalize("NFC", letter)) for letter in LETTERS]) == {}


def differing(kept: list[str], folds: list[str]) -> dict[str, set[str]]:
    """Of what the first one takes for the same letter, all that the second one takes for several."""
    groups = defaultdict[str, set[str]](set)
    for one, other in zip(kept, folds, strict=True):
        groups[one].add(other)
    return {one: others for one, others in groups.items() if len(others) > 1}
