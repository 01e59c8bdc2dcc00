"""Cleaning text, whole and in pieces. The cleaned pieces of a text must add up to the cleaned whole."""

import itertools
import sys
import unicodedata

import pytest

from shared.text import PieceCleaner, clean, composed, one_line, shows_nothing

TEXTS = [
    ("plain", "plain"),
    ("naïve 漢字 😀\r\n\t", "naïve 漢字 😀\r\n\t"),
    ("\0a\0b\0", "ab"),
    ("\ud83d\ude00", "😀"),
    ("\ud83d", ""),
    ("\ude00\ud83d", ""),
    ("a\ud800b\udfffc", "abc"),
    ("\ud83d\ud83d\ude00\ude00", "😀"),
    ("e\u0301", "e\u0301"),  # not normalised, because normalised pieces could differ from the normalised whole
    ("", ""),
]
cleaned = pytest.mark.parametrize(("text", "expected"), TEXTS, ids=[ascii(text) for text, _ in TEXTS])


@cleaned
def test_what_no_database_stores_is_left_out(text: str, expected: str) -> None:
    assert clean(text) == expected
    clean(text).encode()


@cleaned
def test_pieces_come_to_the_same_as_the_whole_wherever_they_are_cut(text: str, expected: str) -> None:
    for first, second in itertools.combinations_with_replacement(range(len(text) + 1), 2):
        cleaner = PieceCleaner()
        pieces = [cleaner.clean(piece) for piece in (text[:first], text[first:second], text[second:])]
        assert "".join(pieces) == expected
        for piece in pieces:
            piece.encode()


def test_half_a_pair_that_stays_alone_is_dropped() -> None:
    cleaner = PieceCleaner()
    assert [cleaner.clean(piece) for piece in ("a\ud83d", "b")] == ["a", "b"]


INVISIBLE = [
    *("", " \n\t", "\u00a0\u3000\u2028", "\u200b\u200d\ufeff", "\u00ad", "\u3164\uffa0\u115f", "\u2800"),
    *("\U00013441\U00013430\U00013442", "\ufe0f\u034f", "\x00\x1b\x9f", "\u202e\u2066\u061c", "\U000e0041\U000e0100"),
]


@pytest.mark.parametrize("text", INVISIBLE, ids=ascii)
def test_a_reader_sees_nothing_of(text: str) -> None:
    assert shows_nothing(text)
    assert not shows_nothing(text + "." + text)


VISIBLE = ["a", "\u0301", "\u0600", "\ue000", "\ufffc", "\ufffd", "\U0001f600", "\u2764\ufe0f"]


@pytest.mark.parametrize("text", VISIBLE, ids=ascii)
def test_a_reader_sees_something_of(text: str) -> None:
    assert not shows_nothing(text)


def test_blanks_and_control_characters_of_unicode_show_nothing() -> None:
    kinds = {chr(code): unicodedata.category(chr(code)) for code in range(sys.maxunicode + 1)}
    assert [char for char, kind in kinds.items() if kind in ("Cc", "Zs", "Zl", "Zp") and not shows_nothing(char)] == []
    shown = {char for char, kind in kinds.items() if kind[0] in "LNPS" and shows_nothing(char)}
    # Python 3.11 does not know the last two yet
    known = set("\u115f\u1160\u3164\uffa0\u2800\U0001d159")
    assert shown - set("\U00013441\U00013442") == known, "letters and symbols without a picture"


FAMILY, SCOTLAND = (
    "\U0001f469\u200d\U0001f467",
    "\U0001f3f4\U000e0067\U000e0062\U000e0073\U000e0063\U000e0074\U000e007f",
)


@pytest.mark.parametrize("mark", ["\u0301\u0316", "\u0591\u05b0", "\u0f73", "\u093f"], ids=ascii)
def test_a_composed_text_keeps_the_first_thirty_of_a_row_of_marks(mark: str) -> None:
    row = 1_000 * mark
    assert composed(f"\u00e9a{row}b") == unicodedata.normalize("NFC", f"\u00e9a{row[:30]}b")
    assert composed("e\u0301" + "n\u0303" * 100) == "\u00e9" + "\u00f1" * 100


JOINED = [
    FAMILY,
    SCOTLAND,
    "\u0646\u0627\u0645\u0647\u200c\u0647\u0627",
    "\u0915\u094d\u200d\u0937",
    "\u2764\ufe0f\u200d\U0001f525",
]


@pytest.mark.parametrize("text", [*JOINED, "a\u2060b\u00adc", "\u05d0\u200f!", "\U0001fae8\U0010ffff"], ids=ascii)
def test_a_line_keeps_what_joins_its_characters(text: str) -> None:
    assert one_line(text) == text


@pytest.mark.parametrize(
    "between", ["\n", "\r\n", "\x1b", "\x85", "\u2028", "\u202e", "\u2067", "\ufeff", "\ufffb"], ids=ascii
)
def test_a_line_has_a_space_for_what_breaks_it(between: str) -> None:
    assert one_line(f" a {between} b{between}") == "a b"
