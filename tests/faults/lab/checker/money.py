"""G4 and G5: balances are always their ledgers' sums, and each reply has the price that fits its end."""

from collections import Counter
from collections.abc import Iterator
from typing import Any

from shared.text import shows_nothing
from tests.faults.lab.checker.rules import FINAL, PRICE, Rules
from tests.faults.lab.checker.violation import DOUBLED, LOST, UNEXPECTED, Violation
from tests.faults.lab.evidence import Evidence


def g4_money_adds_up(seen: Evidence, rules: Rules) -> Iterator[Violation]:
    balance = Counter[str]()
    for note in seen.notes:
        if note.what == "ledger":
            balance[note.whose] += int(note.now)
            if balance[note.whose] < 0:
                yield Violation("G4", UNEXPECTED, f"user {note.whose} fell to {balance[note.whose]}")
        elif note.what == "ledger changed":
            yield Violation("G4", UNEXPECTED, f"an entry of user {note.whose} changed from {note.was} to {note.now!r}")
    held = Counter[str]()
    for reply in seen.replies:
        held[reply.owner_id] += 0 if reply.status in FINAL else reply.credits_held
    for user in seen.users.values():
        total = sum(entry.delta for entry in seen.entries if entry.user_id == user.id)
        if user.credits != total or user.credits < 0 or total != balance[user.id]:
            yield Violation("G4", UNEXPECTED, f"user {user.id} has {user.credits}, the ledger says {total}")
        if user.held != held[user.id]:
            yield Violation("G4", UNEXPECTED, f"user {user.id} holds {user.held} for replies of {held[user.id]}")


def g5_money_matches_outcomes(seen: Evidence, rules: Rules) -> Iterator[Violation]:
    yield from _grants(seen)
    found = Counter((entry.user_id, entry.kind, entry.ref, entry.delta) for entry in seen.entries)
    due = Counter({key: count for key, count in found.items() if key[1] == "grant"})
    for reply in seen.replies:
        price, is_charged = reply.credits_held, _is_charged(seen, reply)
        due[reply.owner_id, "hold", reply.id, -price] += 1
        if reply.status in FINAL and not is_charged:
            due[reply.owner_id, "release", reply.id, price] += 1
        if reply.status in FINAL and reply.credits_charged != (price if is_charged else 0):
            yield Violation("G5", UNEXPECTED, f"{reply.status} reply {reply.id} was charged {reply.credits_charged}")
        if price != PRICE:
            yield Violation("G5", UNEXPECTED, f"reply {reply.id} is held for at {price}")
    for entry, count in (found - due).items():
        yield Violation("G5", DOUBLED, f"{count} entries too many: {entry}")
    for entry, count in (due - found).items():
        yield Violation("G5", LOST, f"{count} entries too few: {entry}")


def _grants(seen: Evidence) -> Iterator[Violation]:
    """One grant comes with the sign-up, and the others come from an operator. Anything else is money from nowhere."""
    known = Counter(call.user_id for call in seen.other_calls if call.op == "grant" and call.kind != "fail")
    for user_id in seen.users:
        grants = [entry for entry in seen.entries if entry.user_id == user_id and entry.kind == "grant"]
        at_sign_up = [entry for entry in grants if entry.ref == "sign-up"]
        if len(at_sign_up) != 1 or len(grants) != 1 + known[user_id]:
            kind = LOST if len(grants) < 1 + known[user_id] else DOUBLED
            yield Violation("G5", kind, f"user {user_id} was granted {[(entry.ref, entry.delta) for entry in grants]}")


def _is_charged(seen: Evidence, reply: Any) -> bool:
    """Whether the reply completed, or was stopped with new text to keep. A reply deleted before its end is free."""
    if reply.status != "cancelled":
        return bool(reply.status == "completed")
    if reply.deleted_at is None:
        return not shows_nothing(reply.content[reply.kept :])
    texts = [note.now for note in seen.notes if note.what == "stopped" and note.whose == reply.id]
    return any(not shows_nothing(text[reply.kept :]) for text in texts) and reply.completed_at < reply.deleted_at
