"""Finds the messages and titles of a user that have the searched words, the best first.

Matches are ranked in blocks: first the newest 200 titles that match, then the newest 200 messages, then older ones. So
a page costs the same for any number of matches, and its order depends on no text of anybody else (D-175).
"""

import math
from collections.abc import Iterator
from datetime import datetime
from itertools import islice
from typing import NamedTuple

from sqlalchemy import bindparam, func, select

from shared.actions.search.matches import BLOCK, HEAD, Match, newest_matches
from shared.actions.search.snippet import LONGEST, Part, snippet
from shared.actions.search.words import Words
from shared.database.prepared import Prepared
from shared.database.units import query
from shared.models.chat import chat_deleted_at
from shared.models.message import messages
from shared.text import composed

# Characters of a text that can be found. The migration 0011 has the same number.
_MOST = 100_000
# No number of `seq` and no rank is so high.
_ABOVE_ALL = 2**31 - 1


class Place(NamedTuple):
    """A match's place in the order. Its block has titles or messages with a `seq` from `lowest` on and before `below`.

    The defaults are the place before all.
    """

    is_title: bool = True
    lowest: int = 0
    below: int = _ABOVE_ALL
    rank: int = _ABOVE_ALL
    seq: int = _ABOVE_ALL


class Found(NamedTuple):
    """A message that has the words, or the title of a chat, as a search shows it."""

    chat_session_id: str
    message_id: str | None
    title: str
    snippet: list[Part]
    created_at: datetime


def find(user_id: str, words: Words, limit: int, after: Place | None) -> tuple[list[Found], Place | None]:
    """The matches after a place, `limit` at most, and the place of the last one; None if no match is left."""
    found = list(islice(_ranked(user_id, words, after or Place()), limit + 1)) if words.parts else []
    page = found[:limit]
    return [_shown(words, place, match) for place, match in page], page[-1][0] if len(found) > limit else None


def _ranked(user_id: str, words: Words, after: Place) -> Iterator[tuple[Place, Match]]:
    """All matches behind this place, block by block. A block keeps its bounds, so no match is lost or doubled."""
    while True:
        kind, lowest, below = after.is_title, after.lowest, after.below
        found = newest_matches(user_id, words, is_title=kind, lowest=lowest, below=below)
        if found:
            below = found[0].seq + 1
        if len(found) == BLOCK:
            lowest = found[-1].seq
        places = [(Place(kind, lowest, below, _rank(words, match.head), match.seq), match) for match in found]
        for place, match in sorted(places, key=lambda each: each[0][-2:], reverse=True):
            if place[-2:] < after[-2:]:
                yield place, match
        if lowest == 0 and not kind:
            return
        after = Place(kind, below=lowest) if lowest else Place(is_title=False)


def _rank(words: Words, text: str) -> int:
    """How well a text fits: many places in few words rank high, and every further place counts less."""
    text = composed(text)
    fit = sum(count / (1 + count) for count in words.counts(text))
    return int(1_000_000 * fit / (1 + math.log1p(len(text) / 100)))


def _shown(words: Words, place: Place, match: Match) -> Found:
    text = composed(match.head)  # an accent may be a character of its own
    first = words.first(text)
    is_cut = len(match.head) == HEAD
    if is_cut and (first is None or first > len(text) - LONGEST):  # the words, or what follows, stand behind it
        text = composed(query(_whole, {"message_id": match.id}).scalar() or "")
    message_id = None if place.is_title else match.id
    return Found(match.chat_session_id, message_id, match.title, snippet(words, text), match.created_at)


class _Text(NamedTuple):
    text: str


_whole = Prepared(
    select(func.substr(messages.c.content, 1, _MOST).label("text")).where(
        messages.c.id == bindparam("message_id"), chat_deleted_at(messages.c.chat_session_id).is_(None)
    ),
    _Text,
)
