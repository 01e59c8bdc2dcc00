"""Cuts the part of a text that a search has found, and marks the words in it."""

from typing import NamedTuple

from shared.actions.search.words import Words

#: Characters of a snippet at most.
LONGEST = 200
# Those of them that stand before the first word that was found.
_BEFORE = 60
_MORE = "…"


class Part(NamedTuple):
    """A part of a snippet. `match` says whether the search has found these very letters."""

    text: str
    match: bool


def snippet(words: Words, text: str) -> list[Part]:
    """The text around the first place. Its parts together have 200 characters at most.

    The parts are plain text. A client that shows them as text needs no HTML from the server, and trusts none.
    """
    first = words.first(text) or 0
    start = max(0, first - _BEFORE)
    line, cut = " ".join(text[start : start + 2 * LONGEST].split()), start + 2 * LONGEST < len(text)
    if start:
        line = _MORE + line
    if cut or len(line) > LONGEST:
        line = line[: LONGEST - 1].rstrip() + _MORE
    return _parts(words, line)


def _parts(words: Words, line: str) -> list[Part]:
    parts, done = list[Part](), 0
    for place in words.places(line):
        parts += [Part(line[done : place.start], False), Part(line[place.start : place.end], True)]
        done = place.end
    return [part for part in (*parts, Part(line[done:], False)) if part.text]
