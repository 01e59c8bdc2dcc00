"""Versions: one of each group is shown, each belongs to its own question, and a continued text keeps its beginning."""

from collections import Counter, defaultdict
from collections.abc import Iterator
from typing import Any

from tests.faults.lab.checker.rules import Rules
from tests.faults.lab.checker.violation import DOUBLED, LOST, UNEXPECTED, Violation
from tests.faults.lab.evidence import Evidence


def versions_are_whole(seen: Evidence, rules: Rules) -> Iterator[Violation]:
    for root, group in _groups(seen).items():
        if len({row.reply_to for row in group}) > 1 or len({row.chat_session_id for row in group}) > 1:
            yield Violation("versions", UNEXPECTED, f"the versions of {root} have several questions or chats")
        for number, count in Counter(row.version for row in group).items():
            if count > 1:
                yield Violation("versions", DOUBLED, f"{count} versions {number} of {root}")
        if root not in seen.messages or seen.messages[root].version_of:
            yield Violation("versions", UNEXPECTED, f"{root} is not the first of its versions")
        yield from _shown(seen, root, [row for row in group if seen.is_there(row)])
    for question, roots in _roots(seen).items():
        if len(roots) > 1:
            yield Violation("versions", DOUBLED, f"the replies to {question} have {len(roots)} first versions")
    yield from _edited(seen)


def _groups(seen: Evidence) -> dict[str, list[Any]]:
    groups = defaultdict(list)
    for row in seen.messages.values():
        groups[row.version_of or row.id].append(row)
    return groups


def _roots(seen: Evidence) -> dict[str, set[str]]:
    roots = defaultdict(set)
    for row in seen.messages.values():
        if row.reply_to:
            roots[row.reply_to].add(row.version_of or row.id)
    return roots


def _shown(seen: Evidence, root: str, group: list[Any]) -> Iterator[Violation]:
    """Exactly one version is shown. A reply is shown only with its own question."""
    question = seen.messages.get(group[0].reply_to) if group else None
    due = bool(group) and (question is None or bool(question.shown))
    count = sum(bool(row.shown) for row in group)
    if count != due:
        yield Violation("versions", DOUBLED if count > due else LOST, f"{count} versions of {root} are shown")


def _edited(seen: Evidence) -> Iterator[Violation]:
    """An accepted edit that is not in place makes a version of the message that it names."""
    for call in seen.texts:
        if call.op == "edit" and call.kind == "ok" and not call.in_place:
            before, made = seen.messages.get(call.named), seen.messages.get(call.message_id)
            if before and made and made.version_of != (before.version_of or before.id):
                yield Violation("versions", UNEXPECTED, f"the edit {made.id} is no version of {before.id}")


def continued_text_is_kept(seen: Evidence, rules: Rules) -> Iterator[Violation]:
    """A reply that continues another begins with all of that one's text, whatever its own end is."""
    for reply in seen.replies:
        if not reply.continues and reply.kept:
            yield Violation("continue", UNEXPECTED, f"reply {reply.id} keeps {reply.kept} characters of no reply")
        before = seen.messages.get(reply.continues)
        if before is None or reply.deleted_at is not None:
            continue
        if before.reply_to != reply.reply_to:
            yield Violation("continue", UNEXPECTED, f"reply {reply.id} continues the answer to another question")
        if before.deleted_at is None and reply.content[: reply.kept] != before.content:
            yield Violation("continue", LOST, f"reply {reply.id} has lost the text that it continues")
    for call in seen.other_calls:
        made = seen.messages.get(call.reply_id) if call.op == "continue" and call.kind == "ok" else None
        if made is not None and made.continues is None:
            yield Violation("continue", LOST, f"reply {made.id} continues nothing, but was asked to")
