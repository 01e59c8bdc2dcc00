"""Forks: a new chat has copies of what was said. A copy costs nothing, never runs, and says what its original says."""

from collections import Counter, defaultdict
from collections.abc import Iterator
from typing import Any

from tests.faults.lab.checker.rules import FINAL, Rules
from tests.faults.lab.checker.violation import DOUBLED, LOST, UNEXPECTED, Violation
from tests.faults.lab.evidence import Evidence


def forks_are_copies(seen: Evidence, rules: Rules) -> Iterator[Violation]:
    ran = {note.whose for note in seen.notes if note.what == "reply" and note.now not in FINAL}
    paid = {entry.ref for entry in seen.entries}
    originals = defaultdict(list)
    for row in seen.messages.values():
        if not seen.is_copy(row):
            originals[row.owner_id, row.created_at, row.message_type].append(row)
    for copy in seen.copies:
        if copy.id in ran or copy.attempt or copy.status not in FINAL:
            yield Violation("forks", DOUBLED, f"the copy {copy.id} is {copy.status}, and ran")
        if copy.id in paid or copy.credits_held or copy.credits_charged:
            yield Violation("forks", DOUBLED, f"the copy {copy.id} has a price")
        if not any(_says_the_same(seen, one, copy) for one in originals[_origin(copy)]):
            yield Violation("forks", UNEXPECTED, f"nobody said what the copy {copy.id} says: {copy.content[:80]!r}")
    yield from _asked_for(seen)


def _origin(copy: Any) -> tuple[Any, ...]:
    return copy.owner_id, copy.created_at, copy.message_type


def _says_the_same(seen: Evidence, original: Any, copy: Any) -> bool:
    facts = ("status", "content", "error_code", "finish_reason")
    gone = original.deleted_at is not None or copy.deleted_at is not None
    return gone or all(getattr(original, fact) == getattr(copy, fact) for fact in facts)


def _asked_for(seen: Evidence) -> Iterator[Violation]:
    """Each key made one chat, which ends with the copy of the named message. No other chat has copies."""
    calls = [call for call in seen.other_calls if call.op == "fork" and call.kind != "fail"]
    ends = {copy.chat_session_id: copy for copy in seen.copies}
    made = {str(call.body["id"]): call for call in calls if call.kind == "ok"}
    for chat_id, call in made.items():
        named, end = seen.messages.get(call.named_in_body), ends.get(chat_id)
        if chat_id not in seen.chats or end is None:
            yield Violation("forks", LOST, f"the fork {chat_id} has no copies")
        elif named is not None and _origin(named) != _origin(end):
            yield Violation("forks", UNEXPECTED, f"the fork {chat_id} does not end with the message that it names")
    untold = Counter(call.user_id for call in calls if call.kind == "unknown")
    for user_id, count in Counter(seen.chats[one].owner_id for one in ends.keys() - made.keys()).items():
        if count > untold[user_id]:
            yield Violation("forks", DOUBLED, f"{count} forks of user {user_id} that nobody asked for")
