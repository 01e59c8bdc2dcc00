"""G7 and G11: nobody hears or reads another's data, and no answer, event or log says more than it should."""

import re
from collections import defaultdict
from collections.abc import Iterator
from typing import Any

from tests.faults.lab.checker.rules import Rules
from tests.faults.lab.checker.violation import UNEXPECTED, Violation
from tests.faults.lab.evidence import Evidence

_NONCE = re.compile(r"q-[0-9a-f]{12}")
_SHOULD_NOT_BE_SAID = re.compile(r"Traceback \(most recent call last\)|Scripted\.|only-for-tests|Bearer ey")


def g7_no_cross_talk(seen: Evidence, rules: Rules) -> Iterator[Violation]:
    money = {(note.whose, note.was): note.now for note in seen.notes if note.what == "money"}
    for user_id, heard in seen.heard.items():
        for event in heard:
            data = event.data or {}
            if {data.get("userId", user_id), *_owners(seen, data)} != {user_id}:
                yield Violation("G7", UNEXPECTED, f"{user_id} heard {event.name} of {data} that isn't theirs")
            if event.name == "credits.changed" and money.get((user_id, str(data["seq"]))) != _money(data):
                yield Violation("G7", UNEXPECTED, f"{user_id} heard of money that was never theirs: {data}")
    yield from _foreign_words(seen)
    for packet in seen.uninvited:
        if not packet.startswith("4"):  # a refusal
            yield Violation("G7", UNEXPECTED, f"a socket without a token got {packet[:80]!r}")


def _money(data: dict[str, Any]) -> str:
    """The money of an event, in the form in which the witness writes it down."""
    return f"{data['balance']} {data['held']}"


def _owners(seen: Evidence, data: dict[str, Any]) -> list[Any]:
    """The owners of the message and the chat that an event names. None stands for a row that never existed.

    Deleted rows stay, so they still have an owner.
    """
    names = {data.get("id"), data.get("messageId"), data.get("chatSessionId")} - {None}
    rows = {**seen.messages, **seen.chats}
    return [rows[name].owner_id if name in rows else None for name in names]


def _foreign_words(seen: Evidence) -> Iterator[Violation]:
    """Each question has a word of its own. Only the person who asked may meet that word again."""
    own: dict[str, set[str]] = defaultdict(set)
    for call in seen.texts:
        own[call.user_id].add(call.nonce)
    for user_id, text in _told(seen):
        if foreign := set(_NONCE.findall(text)) - own[user_id]:
            yield Violation("G7", UNEXPECTED, f"{user_id} was told another's {foreign}")


def _told(seen: Evidence) -> Iterator[tuple[str, str]]:
    """Each user, with every answer, event and listing that the user got."""
    for outcome in seen.outcomes + seen.other_calls:
        yield outcome.user_id, outcome.text
    for user_id in seen.users:
        for told in (seen.heard.get(user_id), seen.shown.get(user_id), seen.synced.get(user_id)):
            yield user_id, str(told)


def g11_quiet_surface(seen: Evidence, rules: Rules) -> Iterator[Violation]:
    for outcome in seen.outcomes + seen.other_calls:
        if (outcome.status or 0) >= 500 and outcome.status not in rules.statuses:
            yield Violation("G11", UNEXPECTED, f"{outcome.status} for {outcome.op}: {outcome.text[:200]}")
        if outcome.status == 503 and not outcome.retry_after:
            yield Violation("G11", UNEXPECTED, f"503 without Retry-After for {outcome.op}")
        if outcome.status is None and not rules.unanswered:
            yield Violation("G11", UNEXPECTED, f"no answer for {outcome.op}: {outcome.trouble}")
    for user_id, text in _told(seen):
        if found := _SHOULD_NOT_BE_SAID.search(text):
            yield Violation("G11", UNEXPECTED, f"{user_id} was told too much: {_around(text, found)}")
    for found in () if rules.tracebacks else _SHOULD_NOT_BE_SAID.finditer(seen.logs):
        yield Violation("G11", UNEXPECTED, f"a log says too much: {_around(seen.logs, found)}")
    for nonce in {call.nonce for call in seen.texts if call.nonce in seen.logs}:
        yield Violation("G11", UNEXPECTED, f"a log holds the text of message {nonce}")


def _around(text: str, found: re.Match[str]) -> str:
    return text[max(0, found.start() - 300) : found.end() + 1500]
