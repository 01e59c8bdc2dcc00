"""Cleaning text, whole and in pieces. The cleaned pieces of a text must add up to the cleaned whole."""

import itertools

import pytest

from shared.text import PieceCleaner, clean

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
