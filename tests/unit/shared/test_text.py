"""Cleaning text, whole and in pieces. The cleaned pieces of a text must add up to the cleaned whole."""

import itertools
import sys
import unicodedata

import pytest

from shared.text import PieceCleaner, clean, shows_nothing

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
    *("\ufe0f\u034f", "\x00\x1b\x9f", "\u202e\u2066\u061c", "\U000e0041\U000e0100"),
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
    assert shown == set("\u115f\u1160\u3164\uffa0\u2800\U0001d159"), "letters and symbols without a picture"
