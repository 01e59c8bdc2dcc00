"""Reads a search as words and phrases, and finds them in a text. It compares words as both databases do.

Capital letters and accents do not count, and each Chinese or Japanese letter is a word of its own. The databases find
the rows. This module finds the places in their texts, to rank the rows and to show the places. Search and text are
compared in their composed form (NFC): each caller brings its text into it, so that places count its characters.
"""

import re
from collections.abc import Iterator
from functools import cached_property, lru_cache
from typing import NamedTuple
from unicodedata import normalize

from shared.actions.search.folded import Folded, fold
from shared.text import composed

# The letters of scripts without blanks between words. The migration 0011 has the same for PostgreSQL.
_ALONE = "\u2e80-\u2fdf\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
_WORD = re.compile(rf"[{_ALONE}]|(?:(?![{_ALONE}])[^\W_])+")
_IS_ALONE = re.compile(f"[{_ALONE}]")
# The end of a search that may go on. A beginning of two letters would fit too many words (D-178).
_CAN_GO_ON = re.compile(r"[^\W_]{3}\Z")
# Chinese letters with a second code point, which is the same letter to a reader. A text may have either.
_TWINS = {normalize("NFC", chr(code)) for code in (*range(0xF900, 0xFB00), *range(0x2F800, 0x2FA20))}
# The marks that make another kana of one, such as が of か.
_KANA_MARKS = "\u3099\u309a"
_PART = re.compile(r'"([^"]*)"?|([^\s"]+)')


class Words:
    """The words that a text must have. Each part is a word or a phrase, and the last word may be unfinished."""

    def __init__(self, searched: str) -> None:
        typed = [phrase or word for phrase, word in _PART.findall(searched)]
        #: Each part as it was typed.
        self.typed = {composed(part): part for part in typed}
        #: The parts that have a letter or a digit, each once, the last one last; there may be none.
        parts = [part for part in map(composed, typed) if _WORD.search(part)]
        self.parts = list(dict.fromkeys(parts[::-1]))[::-1]
        #: Whether more letters may follow the last word.
        self.is_open = _CAN_GO_ON.search(fold(composed(searched))) is not None

    @property
    def unspaced(self) -> list[str]:
        """The parts that have a letter of a script without blanks."""
        return [part for part in self.parts if _IS_ALONE.search(part)]

    @property
    def letters(self) -> list[str]:
        """The letters of these parts that every text with them has, in whatever form it is stored."""
        return sorted({one for part in self.unspaced for one in part if _is_firm(one)})

    @cached_property
    def _patterns(self) -> list[re.Pattern[str]]:
        last = len(self.parts) - 1
        return [_pattern(part, is_open=self.is_open and n == last) for n, part in enumerate(self.parts)]

    def counts(self, text: str) -> list[int]:
        """How often each part is in the text."""
        letters = fold(text)
        return [sum(1 for _ in _spans(pattern, letters)) for pattern in self._patterns]

    def first(self, text: str) -> int | None:
        """Where the first part that is in the text begins."""
        folded = Folded(text)
        found = (next(_places(pattern, folded), None) for pattern in self._patterns)
        return min((place.start for place in found if place), default=None)

    def places(self, text: str) -> list["Place"]:
        """All places of all parts in the text, in their order and without overlap."""
        folded, merged = Folded(text), list[Place]()
        for place in sorted(place for pattern in self._patterns for place in _places(pattern, folded)):
            if merged and place.start < merged[-1].end:
                merged[-1] = Place(merged[-1].start, max(place.end, merged[-1].end))
            else:
                merged.append(place)
        return merged


class Place(NamedTuple):
    """A part of a text: from `start` up to `end`."""

    start: int
    end: int


def has_part(text: str, part: str, *, is_open: bool) -> bool:
    """Whether the text has this part of a search. The last word of an open one may go on."""
    letters = fold(composed(text))
    return next(_spans(_pattern(part, is_open=is_open), letters), None) is not None


def is_plain(part: str) -> bool:
    """Whether a text that has these very letters has the part."""
    return all(_is_firm(letter) and not _takes_marks(letter) for letter in part)


def _is_firm(letter: str) -> bool:
    """Whether it has neither a case nor another form, as a kana with its mark has."""
    return _IS_ALONE.match(letter) is not None and normalize("NFD", letter) == letter and letter not in _TWINS


def _takes_marks(letter: str) -> bool:
    return any(len(normalize("NFC", letter + mark)) == 1 for mark in _KANA_MARKS)


@lru_cache(maxsize=256)
def _pattern(part: str, *, is_open: bool) -> re.Pattern[str]:
    """A pattern for the folded text. It begins with a letter, for which Python looks quickly."""
    first, *others = _WORD.findall(fold(part))
    pattern, last = re.escape(first), first
    for word in others:
        pattern += (r"[\W_]*" if _IS_ALONE.match(last) or _IS_ALONE.match(word) else r"[\W_]+") + re.escape(word)
        last = word
    return re.compile(pattern if is_open or _IS_ALONE.match(last) else pattern + rf"(?![^\W_{_ALONE}])")


def _places(pattern: re.Pattern[str], folded: Folded) -> Iterator[Place]:
    return (Place(*folded.origin(start, end)) for start, end in _spans(pattern, folded.letters))


def _spans(pattern: re.Pattern[str], letters: str) -> Iterator[tuple[int, int]]:
    for found in pattern.finditer(letters):
        if not _is_inside_a_word(letters, found.start()):
            yield found.span()


def _is_inside_a_word(text: str, start: int) -> bool:
    before, here = text[max(0, start - 1) : start], text[start]
    return before.isalnum() and not _IS_ALONE.match(before) and not _IS_ALONE.match(here)
