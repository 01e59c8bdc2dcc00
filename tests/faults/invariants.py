"""The invariants G1 to G11, each as a function that yields what is wrong. Written from the promises, not the code."""

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from tests.fake_script import Script, sign
from tests.faults.convergence import shown_otherwise, synced_otherwise, told_otherwise
from tests.faults.evidence import Evidence
from tests.faults.violation import DOUBLED, LOST, UNEXPECTED, Violation

FINAL = ("completed", "failed", "cancelled")
MAX_FAILURES = 2


@dataclass(frozen=True)
class Rules:
    """What a fault makes legal: server errors of these statuses, two requests at once for one reply, tracebacks."""

    statuses: frozenset[int] = frozenset()
    overlap: bool = False
    tracebacks: bool = False


def g1_one_placeholder_each(seen: Evidence, rules: Rules) -> Iterator[Violation]:
    for outcome in seen.outcomes:
        if outcome.kind == "ok":
            reply = seen.messages.get(outcome.reply_id)
            if reply is None or reply.reply_to != outcome.message_id or outcome.message_id not in seen.messages:
                yield Violation("G1", LOST, f"accepted, but not stored: {outcome.nonce}")
    answered = Counter(reply.reply_to for reply in seen.replies)
    for message in seen.messages.values():
        if message.message_type == "user" and answered[message.id] != 1:
            kind = DOUBLED if answered[message.id] else LOST
            yield Violation("G1", kind, f"{answered[message.id]} replies to message {message.id}")
    for reply in seen.replies:
        if reply.reply_to not in seen.messages:
            yield Violation("G1", UNEXPECTED, f"reply {reply.id} to no message")


def g2_all_final(seen: Evidence, rules: Rules) -> Iterator[Violation]:
    for reply in seen.replies:
        if reply.status not in FINAL:
            yield Violation("G2", LOST, f"reply {reply.id} is still {reply.status}, attempt {reply.attempt}")


def g3_final_is_final(seen: Evidence, rules: Rules) -> Iterator[Violation]:
    endings = Counter(note.whose for note in seen.notes if note.what == "reply" and note.now in FINAL)
    for reply in seen.replies:
        if reply.status in FINAL and endings[reply.id] != 1:
            yield Violation("G3", DOUBLED, f"reply {reply.id} ended {endings[reply.id]} times")
    for note in seen.notes:
        if note.what == "rewritten":
            yield Violation("G3", DOUBLED, f"reply {note.whose} changed after it was {note.was}")


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
    found = Counter((entry.user_id, entry.kind, entry.ref, entry.delta) for entry in seen.entries)
    due = Counter({key: count for key, count in found.items() if key[1] == "grant"})
    for reply in seen.replies:
        price, is_charged = reply.credits_held, _is_charged(seen, reply)
        due[reply.owner_id, "hold", reply.id, -price] += 1
        if reply.status in FINAL and not is_charged:
            due[reply.owner_id, "release", reply.id, price] += 1
        if reply.status in FINAL and reply.credits_charged != (price if is_charged else 0):
            yield Violation("G5", UNEXPECTED, f"{reply.status} reply {reply.id} was charged {reply.credits_charged}")
    for entry, count in (found - due).items():
        yield Violation("G5", DOUBLED, f"{count} entries too many: {entry}")
    for entry, count in (due - found).items():
        yield Violation("G5", LOST, f"{count} entries too few: {entry}")


def _is_charged(seen: Evidence, reply: Any) -> bool:
    """Completed, or stopped by the user with text to keep; what was deleted before its end is free."""
    if reply.status != "cancelled":
        return bool(reply.status == "completed")
    if reply.deleted_at is None:
        return bool(reply.content.strip())
    kept = any(note.now.strip() for note in seen.notes if note.what == "stopped" and note.whose == reply.id)
    return kept and reply.completed_at < reply.deleted_at


def g6_completed_means_complete(seen: Evidence, rules: Rules) -> Iterator[Violation]:
    nonces = seen.nonces()
    twins = Counter(nonces.values())  # what was posted twice without a key is stored twice
    for reply in seen.replies:
        if reply.status != "completed" or reply.deleted_at is not None:
            continue
        if not reply.content.strip() or not reply.finish_reason or reply.attempt < 1:
            yield Violation("G6", UNEXPECTED, f"completed reply {reply.id} has no text, finish reason or attempt")
        requests, alone = seen.asked(nonces[reply.id]), twins[nonces[reply.id]] == 1
        last = max((request.number for request in requests), default=0)
        said = {request.number: _whole_answer(request) for request in requests if request.ending == "finished"}
        if requests and reply.finish_reason != "length" and reply.content not in said.values():
            yield Violation("G6", UNEXPECTED, f"reply {reply.id} isn't one whole answer: {reply.content[:80]!r}")
        elif requests and alone and not rules.overlap and reply.content != said.get(last):
            yield Violation("G6", UNEXPECTED, f"reply {reply.id} isn't what its last attempt was told")


def _whole_answer(request: Any) -> str:
    script = Script.parse(request.model, request.question)
    pieces = script.pieces(request.question)
    return "".join(sign(piece, request.number) if script.signed else piece for piece in pieces)


def g7_no_cross_talk(seen: Evidence, rules: Rules) -> Iterator[Violation]:
    money = {(note.whose, note.was): note.now for note in seen.notes if note.what == "money"}
    for user_id, heard in seen.heard.items():
        for event in heard:
            data = event.data or {}
            whose = [row.owner_id for row in _rows_of(seen, data)]
            owners = {data.get("userId"), *whose} - {None, user_id}
            if owners:
                yield Violation("G7", UNEXPECTED, f"{user_id} heard {event.name} of {owners}")
            if event.name == "credits.changed" and money.get((user_id, str(data["seq"]))) != _money(data):
                yield Violation("G7", UNEXPECTED, f"{user_id} heard of money that was never theirs: {data}")
    for packet in seen.uninvited:
        if not packet.startswith("4"):  # a refusal
            yield Violation("G7", UNEXPECTED, f"a socket without a token got {packet[:80]!r}")


def _money(data: dict[str, Any]) -> str:
    """As the witness writes it down."""
    return f"{data['balance']} {data['held']}"


def _rows_of(seen: Evidence, data: dict[str, Any]) -> list[Any]:
    """The message and the chat that an event names; rows stay when they are deleted."""
    names = (data.get("id"), data.get("messageId"), data.get("chatSessionId"))
    return [rows[name] for rows in (seen.messages, seen.chats) for name in names if name in rows]


def g8_convergence(seen: Evidence, rules: Rules) -> Iterator[Violation]:
    yield from shown_otherwise(seen)
    for user_id in seen.synced:
        yield from synced_otherwise(seen, user_id)
    for heard in seen.heard.values():
        yield from told_otherwise(seen, heard)


def g9_model_calls_bounded(seen: Evidence, rules: Rules) -> Iterator[Violation]:
    nonces, attempts = seen.nonces(), Counter[str]()
    for reply in seen.replies:
        attempts[nonces[reply.id]] += reply.attempt
    for reply in seen.replies:
        requests, most = seen.asked(nonces[reply.id]), attempts[nonces[reply.id]]
        if len(requests) > most + _shortened(requests):
            yield Violation("G9", DOUBLED, f"{len(requests)} requests in {most} attempts at {reply.id}")
        if reply.attempt > reply.failures + reply.drains + 1 or reply.failures > MAX_FAILURES:
            yield Violation("G9", UNEXPECTED, f"reply {reply.id}: {reply.attempt} attempts, {reply.failures} failures")
        ends = [request.closed_at or float("inf") for request in requests]
        overlap = any(later.opened_at < end for end, later in zip(ends, requests[1:], strict=False))
        if overlap and not rules.overlap:
            yield Violation("G9", DOUBLED, f"two requests at once for reply {reply.id}")


def _shortened(requests: list[Any]) -> int:
    """Second requests of an attempt that are legal: shorter ones, after the model found the conversation too long."""
    pairs = [(first, second) for first, second in pairwise(requests) if len(second.messages) < len(first.messages)]
    return sum(Script.parse(first.model, first.question).context_length for first, _ in pairs)


def g10_idempotent(seen: Evidence, rules: Rules) -> Iterator[Violation]:
    made: dict[tuple[str, str], set[str]] = {}
    keys: dict[str, set[str | None]] = {}
    for number, outcome in enumerate(seen.outcomes):
        if outcome.kind != "fail":
            keys.setdefault(outcome.content, set()).add(outcome.key or f"no key {number}")
        if outcome.kind == "ok" and outcome.key:
            made.setdefault((outcome.user_id, outcome.key), set()).add(outcome.message_id)
    for (_, key), ids in made.items():
        if len(ids) > 1:
            yield Violation("G10", DOUBLED, f"key {key} made {len(ids)} messages")
    stored = Counter(row.content for row in seen.messages.values() if row.message_type == "user" and row.content)
    for content, count in stored.items():
        if count > len(keys.get(content, ())):
            kind = DOUBLED if keys.get(content) else UNEXPECTED
            yield Violation("G10", kind, f"{count} messages of {len(keys.get(content, ()))} posts: {content[:40]}")


_SHOULD_NOT_BE_SAID = re.compile(r"Traceback \(most recent call last\)|Scripted\.|only-for-tests|Bearer ey")


def g11_quiet_surface(seen: Evidence, rules: Rules) -> Iterator[Violation]:
    for outcome in seen.outcomes + seen.other_calls:
        if (outcome.status or 0) >= 500 and outcome.status not in rules.statuses:
            yield Violation("G11", UNEXPECTED, f"{outcome.status} for {outcome.op}: {outcome.text[:200]}")
        if outcome.status == 503 and not outcome.retry_after:
            yield Violation("G11", UNEXPECTED, f"503 without Retry-After for {outcome.op}")
        if _SHOULD_NOT_BE_SAID.search(outcome.text):
            yield Violation("G11", UNEXPECTED, f"an answer says too much: {outcome.text[:200]}")
    for found in () if rules.tracebacks else _SHOULD_NOT_BE_SAID.finditer(seen.logs):
        around = seen.logs[max(0, found.start() - 300) : found.end() + 1500]
        yield Violation("G11", UNEXPECTED, f"a log says too much: {around}")
    for nonce in {outcome.nonce for outcome in seen.outcomes if outcome.nonce in seen.logs}:
        yield Violation("G11", UNEXPECTED, f"a log holds the text of message {nonce}")


INVARIANTS = (
    g1_one_placeholder_each,
    g2_all_final,
    g3_final_is_final,
    g4_money_adds_up,
    g5_money_matches_outcomes,
    g6_completed_means_complete,
    g7_no_cross_talk,
    g8_convergence,
    g9_model_calls_bounded,
    g10_idempotent,
    g11_quiet_surface,
)
