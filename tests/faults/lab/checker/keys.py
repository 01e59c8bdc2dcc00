"""G10: a key makes one message, a post without an answer at most one, and a refused post none."""

from collections import Counter, defaultdict
from collections.abc import Iterator

from tests.faults.lab.checker.rules import Rules
from tests.faults.lab.checker.violation import DOUBLED, LOST, UNEXPECTED, Violation
from tests.faults.lab.evidence import Evidence


def g10_idempotent(seen: Evidence, rules: Rules) -> Iterator[Violation]:
    made: dict[tuple[str, str], set[tuple[str, str]]] = defaultdict(set)
    posts: dict[str, set[tuple[str, str]]] = defaultdict(set)
    for number, outcome in enumerate(seen.outcomes):
        key = outcome.key or f"no key {number}"
        if outcome.kind == "ok":
            made[outcome.user_id, key].add((outcome.message_id, outcome.reply_id))
            posts[outcome.message_id].add((outcome.user_id, key))
    for (_, key), ids in made.items():
        if len(ids) > 1:
            yield Violation("G10", DOUBLED, f"key {key} made {len(ids)} messages")
    for message_id, of in posts.items():
        if len(of) > 1:
            yield Violation("G10", LOST, f"{len(of)} posts were answered with the one message {message_id}")
    yield from _keys(seen, made)
    yield from _stored_once(seen)


def _stored_once(seen: Evidence) -> Iterator[Violation]:
    """Each text stands in one message for each key with which it was sent. An edit has no key, but may be repeated."""
    keys: dict[str, set[str]] = defaultdict(set)
    for number, call in enumerate(seen.texts):
        if call.kind != "fail":
            keys[call.content].add(call.key or call.request or f"no key {number}")
    stored = Counter(row.content for row in seen.messages.values() if row.message_type == "user" and row.content)
    for content, count in stored.items():
        if count > len(keys[content]):
            kind = DOUBLED if keys[content] else UNEXPECTED
            yield Violation("G10", kind, f"{count} messages of {len(keys[content])} posts: {content[:40]}")


def _keys(seen: Evidence, made: dict[tuple[str, str], set[tuple[str, str]]]) -> Iterator[Violation]:
    """Each key is kept for its own message. Otherwise the next use of the key would make a second message."""
    used = {outcome.key for outcome in seen.outcomes}
    kept = {(row.user_id, row.key): {(row.message_id, row.reply_id)} for row in seen.keys}
    for name, ids in made.items():
        user = seen.users[name[0]]
        if name[1] in used and user.deleted_at is None and kept.get(name) != ids:
            yield Violation("G10", LOST, f"key {name[1]} made {ids}, but is kept for {kept.get(name)}")
