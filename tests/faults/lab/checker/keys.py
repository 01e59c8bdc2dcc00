"""G10: a key makes one message, a post without an answer at most one, and a refused post none."""

from collections import Counter, defaultdict
from collections.abc import Iterator
from typing import Any

from tests.faults.lab.checker.rules import Rules
from tests.faults.lab.checker.violation import DOUBLED, LOST, UNEXPECTED, Violation
from tests.faults.lab.evidence import Evidence
from tests.faults.lab.history import Made


def g10_idempotent(seen: Evidence, rules: Rules) -> Iterator[Violation]:
    made: dict[tuple[str, str], set[Made]] = defaultdict(set)
    calls: dict[str, set[tuple[str, str]]] = defaultdict(set)
    for number, call in enumerate([*seen.accepts, *(call for call in seen.other_calls if call.op == "fork")]):
        key = call.key or f"no key {number}"
        if call.kind == "ok":
            made[call.user_id, key].add(call.made)
            for one in () if call.in_place else filter(None, call.made):
                calls[one].add((call.user_id, key))
    for (_, key), ids in made.items():
        if len(ids) > 1:
            yield Violation("G10", DOUBLED, f"key {key} made {len(ids)} messages or chats")
    for one, of in calls.items():
        if len(of) > 1:
            yield Violation("G10", LOST, f"{len(of)} calls were answered with the one message or chat {one}")
    yield from _keys(seen, made)
    yield from _stored_once(seen)


def _stored_once(seen: Evidence) -> Iterator[Violation]:
    """Each text stands in one message for each key with which it was sent. An edit has no key, but may be repeated."""
    keys: dict[str, set[str]] = defaultdict(set)
    for number, call in enumerate(seen.texts):
        if call.kind != "fail":
            keys[call.content].add(call.key or call.request or f"no key {number}")
    stored = Counter(row.content for row in seen.messages.values() if _is_new(seen, row))
    for content, count in stored.items():
        if count > len(keys[content]):
            kind = DOUBLED if keys[content] else UNEXPECTED
            yield Violation("G10", kind, f"{count} messages of {len(keys[content])} posts: {content[:40]}")


def _is_new(seen: Evidence, row: Any) -> bool:
    return row.message_type == "user" and bool(row.content) and not seen.is_copy(row)


def _keys(seen: Evidence, made: dict[tuple[str, str], set[Made]]) -> Iterator[Violation]:
    """Each key is kept for its own message. Otherwise the next use of the key would make a second message."""
    used = {call.key for call in seen.outcomes + seen.other_calls}
    kept = {(row.user_id, row.key): {(row.message_id, row.reply_id, row.chat_session_id)} for row in seen.keys}
    for name, ids in made.items():
        user = seen.users[name[0]]
        if name[1] in used and user.deleted_at is None and kept.get(name) != ids:
            yield Violation("G10", LOST, f"key {name[1]} made {ids}, but is kept for {kept.get(name)}")
