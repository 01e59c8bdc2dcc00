"""Cleans text of people and of models, whole or piece by piece. Tells whether a text shows anything."""

import re
import unicodedata
from functools import cache

_HIGH_HALVES = ("\ud800", "\udbff")
# Unicode's blanks (`\s`), its control characters, its characters that fonts leave out (Default_Ignorable_Code_Point),
# and the last line: the blank of braille, annotation marks, the musical note without a head, and the controls and
# blanks of hieroglyphs.
_SHOWS = re.compile(
    r"[^\s\x00-\x1f\x7f-\x9f"
    r"\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\u3164"
    r"\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufff8\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff"
    r"\u2800\ufff9-\ufffb\U0001d159\U00013430-\U0001343f\U00013441\U00013442]"
)
# Characters that break a line or change the order of the text around them. Joiners and marks of direction are none of
# these: emoji families, flags, Persian and Hindi need them (D-158).
_BREAKS = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u206f\ufeff\ufff9-\ufffb]")


def clean(text: str) -> str:
    """The text without NUL and without halves of surrogate pairs, which no database stores. Joins whole pairs."""
    if not text.isascii():
        text = text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "ignore")
    return text.replace("\0", "")


def composed(text: str) -> str:
    """The text in its composed form (NFC). Of a row of combining marks, the first 30 stay.

    To put marks in order takes time that grows with the square of their number. No word of any language has 30, the
    number of Unicode's Stream-Safe Text Format (UAX #15).
    """
    return text if text.isascii() else unicodedata.normalize("NFC", _long_rows().sub(r"\1", text))


def one_line(text: str) -> str:
    """The text in one trimmed line, without control characters. One space stands for each row of blanks."""
    return " ".join(_BREAKS.sub(" ", text).split())


def visible(text: str) -> str:
    """The text without blanks and without characters that show nothing."""
    return "".join(_SHOWS.findall(text))


def shows_nothing(text: str) -> bool:
    """Whether a reader sees nothing of the text: it has only blanks and invisible characters (D-107)."""
    return _SHOWS.search(text) is None


def visible_pattern(but: str = "") -> str:
    """The rule of shows_nothing() as a pattern of JSON Schema: a character that shows something, and is none of `but`.

    It leaves out the rare invisible characters beyond 16 bits, because many tools cannot read these in a pattern.
    """
    short = re.sub(r"\\U[0-9a-f]{8}(-\\U[0-9a-f]{8})?", "", _SHOWS.pattern)
    return short.replace("[^", f"[^{but}", 1)


def visible_class(but: str = "") -> str:
    """A class for patterns with each character of 16 bits that shows something, and is none of `but`.

    All tools read it alike. Some of them cannot read a class that names characters beyond 16 bits.
    """
    plain = "".join(" " if 0xD800 <= code < 0xE000 else chr(code) for code in range(0x10000))
    rows = re.findall(rf"(?:{visible_pattern(but)})+", plain)
    return "[" + "".join(f"\\u{ord(row[0]):04x}-\\u{ord(row[-1]):04x}" for row in rows) + "]"


class PieceCleaner:
    """Cleans text that arrives in pieces. The first half of a surrogate pair waits for the second half."""

    def __init__(self) -> None:
        self._half = ""

    def clean(self, piece: str) -> str:
        """The cleaned piece, after the half that waited. A half at the end waits again. The result may be empty."""
        piece, self._half = self._half + piece, ""
        if piece and _HIGH_HALVES[0] <= piece[-1] <= _HIGH_HALVES[1]:
            piece, self._half = piece[:-1], piece[-1]
        return clean(piece)


@cache
def _long_rows() -> re.Pattern[str]:
    """A row of more than 30 combining marks."""
    is_mark = [unicodedata.category(chr(code))[0] == "M" for code in range(0x20000)]
    first = [code for code in range(0x300, 0x1FFFF) if is_mark[code] > is_mark[code - 1]]
    last = [code for code in range(0x300, 0x1FFFF) if is_mark[code] > is_mark[code + 1]]
    marks = "".join(f"\\U{start:08x}-\\U{end:08x}" for start, end in zip(first, last, strict=True))
    return re.compile(f"([{marks}]{{30}})[{marks}]+")
