"""Says a search in the language of SQLite's FTS5, which keeps each accent where no Latin letter has it (D-232).

FTS5 compares texts as they are stored. So it is asked for each form in which a text may have the same letters.
"""

import json
import re
from typing import Any
from unicodedata import normalize

from shared.actions.search.words import Words, is_plain

# Scripts from here on have signs that make another letter of one. Before it, only accents do, and these do not count.
_FIRST_SIGN = "\u0590"
# The blocks whose letters NFC takes apart or replaces by others, although many keyboards write them: Bengali য়, Hebrew
# שׁ and the Greek vowels with an oxia.
_BLOCKS = (*range(0x900, 0x1000), *range(0x1F71, 0x2000), *range(0xFB1D, 0xFB50))
_KEYS = {
    normalize("NFC", letter): letter
    for letter in map(chr, _BLOCKS)
    if letter not in (normalize("NFC", letter), normalize("NFD", letter)) and len(normalize("NFD", letter)) > 1
}
_HAS_KEY = re.compile("|".join(sorted(_KEYS, key=len, reverse=True)))
# The vowel signs of one Hebrew or Arabic letter. People type what changes the letter first, such as a shadda. NFC has
# it last.
_SIGNS = re.compile("[\u0591-\u05c7\u064b-\u065f]{2,}")
# Scripts that got capital letters after FTS5's Unicode of 2012: Georgian, Cherokee, and some letters of others.
_LATER = re.compile("[\u0528-\u052f\u10d0-\u13ff\u1c80-\u1cbf\ua640-\uabbf\U00010480-\U0001e943]")


def forms(part: str, typed: str) -> list[str]:
    """The part as NFC, as NFD, as it was typed, and in both ways in which keyboards differ from NFC; each once."""
    with_keys = _HAS_KEY.sub(lambda found: _KEYS[found[0]], part)
    turned = _SIGNS.sub(lambda found: found[0][::-1], part)
    cases = (part.lower(), part.upper(), part.capitalize()) if _LATER.search(part) else ()
    return list(dict.fromkeys((part, normalize("NFD", part), typed, with_keys, turned, *cases)))


def for_fts5(words: Words, place: str) -> dict[str, Any]:
    """The query for the texts of this place, and the parts that Python looks for in what FTS5 finds.

    These are the parts in Chinese, of which FTS5 knows no words (D-177), and an unfinished word that FTS5 also finds in
    a larger letter: the Korean 구 is the beginning of 국 if both are written as NFD (D-235).
    """
    match, parts = [f'place : "{place}"'], list[tuple[str, bool, bool]]()
    for number, part in enumerate(words.parts, 1):
        is_open = words.is_open and number == len(words.parts)
        if part not in words.unspaced:
            star = " *" if is_open else ""
            match.append("words : (" + " OR ".join(f'"{form}"{star}' for form in forms(part, words.typed[part])) + ")")
        if part in words.unspaced or (is_open and normalize("NFD", part)[-1] >= _FIRST_SIGN):
            parts.append((part, is_plain(part), is_open))
    return {"match": " AND ".join(match), "letters": _json(words.letters), "parts": _json(parts)}


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)
