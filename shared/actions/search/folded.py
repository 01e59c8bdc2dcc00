"""A text as its words are compared: small letters without accents. It knows where each of them stands in the text.

A letter stays one letter, as in both databases: `ß` is no `ss`. An accent that is a character of its own goes (D-231).
"""

import unicodedata

# Characters below this are folded once. A client who sends every other character costs no memory.
_KEPT = 0x10000


class Folded:
    """A text in its composed form (NFC), folded. `letters` may be shorter than the text."""

    def __init__(self, text: str) -> None:
        self.letters = fold(text)
        self._text = text
        self._origins: list[int] | range = range(len(text))
        if len(self.letters) < len(text):
            self._origins = [place for place, letter in enumerate(text) if not _is_accent(letter)]

    def origin(self, start: int, end: int) -> tuple[int, int]:
        """Where these letters stand in the text, with the accents and vowel signs that follow the last one."""
        start, end = self._origins[start], self._origins[end - 1] + 1
        while end < len(self._text) and unicodedata.category(self._text[end])[0] == "M":
            end += 1
        return start, end


def fold(text: str) -> str:
    """The letters of a text in its composed form, as they are compared."""
    return text.translate(_folded)


def _is_accent(character: str) -> bool:
    """Whether it is an accent of Latin, Greek or Cyrillic letters. The migration 0014 has the same for PostgreSQL."""
    return "\u0300" <= character <= "\u036f"


class _Folds(dict[int, str]):
    """Each character as a small letter without its accent. Only an accent becomes nothing."""

    def __missing__(self, code: int) -> str:
        parts = unicodedata.normalize("NFD", chr(code))
        bare = unicodedata.normalize("NFC", "".join(part for part in parts if not _is_accent(part)))
        folded = _small(bare if len(bare) < 2 else chr(code))
        if code < _KEPT:
            self[code] = folded
        return folded


def _small(letter: str) -> str:
    """The small letter; of two small ones with the same capital letter, as both sigmas, always the same one."""
    for small in (letter.lower(), letter.lower().casefold()):
        letter = small if len(small) == 1 else letter
    return letter


_folded = _Folds()
