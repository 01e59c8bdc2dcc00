"""The invariants, G1 to G11 and more: functions that yield violations. The promises define them, not the code."""

from collections import Counter, defaultdict
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

from tests.fair_clock import CLOCK
from tests.fake_script import Script
from tests.faults.lab.checker.accepted import g1_all_accepted_is_stored
from tests.faults.lab.checker.convergence import g8_convergence
from tests.faults.lab.checker.forks import forks_are_copies
from tests.faults.lab.checker.keys import g10_idempotent
from tests.faults.lab.checker.money import g4_money_adds_up, g5_money_matches_outcomes
from tests.faults.lab.checker.rules import FINAL, LETS_GO_WITHIN, MAX_ACTIVE, MAX_FAILURES, Rules
from tests.faults.lab.checker.surface import g7_no_cross_talk, g11_quiet_surface
from tests.faults.lab.checker.texts import g6_completed_means_complete
from tests.faults.lab.checker.versions import continued_text_is_kept, versions_are_whole
from tests.faults.lab.checker.violation import DOUBLED, LOST, UNEXPECTED, Violation
from tests.faults.lab.evidence import Evidence


def each_has_its_place(seen: Evidence, rules: Rules) -> Iterator[Violation]:
    """In a chat, no two messages have one place, and a reply stands behind its question."""
    for (chat, place), count in Counter((row.chat_session_id, row.position) for row in seen.messages.values()).items():
        if count > 1:
            yield Violation("places", DOUBLED, f"{count} messages of chat {chat} have the place {place}")
    for reply in seen.replies:
        asked = seen.messages.get(reply.reply_to)
        if asked and reply.position < asked.position:
            yield Violation("places", UNEXPECTED, f"reply {reply.id} stands before its question")


def g2_all_final(seen: Evidence, rules: Rules) -> Iterator[Violation]:
    for reply in seen.replies:
        if reply.status not in FINAL:
            yield Violation("G2", LOST, f"reply {reply.id} is still {reply.status}, attempt {reply.attempt}")
            continue
        if reply.completed_at is None or reply.lease_until is not None:
            yield Violation("G2", UNEXPECTED, f"{reply.status} reply {reply.id} has no end, or still a lease")
        failed = reply.status == "failed"
        if (bool(reply.error_code), reply.message_type) != (failed, "ai_error" if failed else "ai_report"):
            kind = f"{reply.message_type} with error {reply.error_code}"
            yield Violation("G2", UNEXPECTED, f"{reply.status} reply {reply.id} is an {kind}")


def g3_final_is_final(seen: Evidence, rules: Rules) -> Iterator[Violation]:
    endings = Counter(note.whose for note in seen.notes if note.what == "reply" and note.now in FINAL)
    for reply in seen.replies:
        if reply.status in FINAL and endings[reply.id] != 1:
            yield Violation("G3", DOUBLED, f"reply {reply.id} ended {endings[reply.id]} times")
    for note in seen.notes:
        if note.what == "rewritten":
            yield Violation("G3", DOUBLED, f"reply {note.whose} changed after it was {note.was}")


def turns_are_kept(seen: Evidence, rules: Rules) -> Iterator[Violation]:
    """In a chat, one reply runs after the other, in the order of the posts. One person has two at a time."""
    is_open, running = set[str](), set[str]()
    for note in seen.notes:
        if note.what != "reply" or note.whose not in seen.messages:
            continue
        if note.now == "running":
            reply = seen.messages[note.whose]
            others = [row for row in seen.replies if row.chat_session_id == reply.chat_session_id]
            if any(row.id in is_open and row.position < reply.position for row in others):
                yield Violation("turns", UNEXPECTED, f"reply {reply.id} began before one that was asked for earlier")
        is_open = is_open - {note.whose} if note.now in FINAL else is_open | {note.whose}
        running = running | {note.whose} if note.now == "running" else running - {note.whose}
        for owner, count in Counter(seen.messages[reply_id].owner_id for reply_id in running).items():
            if count > MAX_ACTIVE:
                yield Violation("turns", UNEXPECTED, f"{count} replies of user {owner} ran at once")


def g9_model_calls_bounded(seen: Evidence, rules: Rules) -> Iterator[Violation]:
    nonces, attempts = seen.nonces(), Counter[str]()
    claims = Counter(note.whose for note in seen.notes if (note.what, note.now) == ("reply", "running"))
    for reply in seen.replies:
        attempts[nonces[reply.id]] += reply.attempt
    for reply in seen.replies:
        requests, most = seen.asked(nonces[reply.id]), attempts[nonces[reply.id]]
        own = seen.asked_for(reply, nonces[reply.id])
        if len(requests) > most + _shortened(requests):
            yield Violation("G9", DOUBLED, f"{len(requests)} requests in {most} attempts at {reply.id}")
        if reply.attempt > reply.failures + reply.drains + 1 or reply.failures > MAX_FAILURES:
            yield Violation("G9", UNEXPECTED, f"reply {reply.id}: {reply.attempt} attempts, {reply.failures} failures")
        if reply.attempt != claims[reply.id]:
            yield Violation("G9", UNEXPECTED, f"reply {reply.id}: {reply.attempt} attempts, {claims[reply.id]} claims")
        ends = [request.closed_at or float("inf") for request in own]
        overlap = any(later.opened_at < end for end, later in zip(ends, own[1:], strict=False))
        if overlap and not rules.overlap:
            yield Violation("G9", DOUBLED, f"two requests at once for reply {reply.id}")
    yield from _asked_unasked(seen, nonces)
    yield from () if rules.overlap else _let_go(seen, nonces)


def _asked_unasked(seen: Evidence, nonces: dict[str, str]) -> Iterator[Violation]:
    """The model hears a question only for a reply to it. Copies and messages without a reply are no questions."""
    answered = set(nonces.values())
    untold = {call.nonce for call in seen.texts if call.kind == "unknown"}
    for nonce in {call.nonce for call in seen.texts} - answered - untold:
        for request in seen.asked(nonce):
            yield Violation("G9", UNEXPECTED, f"request {request.number} about {nonce}, which has no reply")


def _shortened(requests: list[Any]) -> int:
    """Count the legal second requests of an attempt: shorter ones, after the model found the conversation too long."""
    pairs = [(first, second) for first, second in pairwise(requests) if len(second.messages) < len(first.messages)]
    return sum(Script.parse(first.model, first.question).context_length for first, _ in pairs)


def _let_go(seen: Evidence, nonces: dict[str, str]) -> Iterator[Violation]:
    """The connection to the model is closed soon after the reply's end, no matter who ended the reply.

    Twins come from one question that was stored twice. For twins, the last end counts.
    """
    ended: dict[str, int] = defaultdict(int)
    for note in seen.notes:
        if note.what == "reply" and note.now in FINAL:
            ended[nonces.get(note.whose, "")] = max(ended[nonces.get(note.whose, "")], note.at)
    for nonce, end in ended.items():
        for request in seen.asked(nonce):
            late = CLOCK.between(end / 1000, request.closed_at) * 1000 if request.closed_at else float("inf")
            if late > LETS_GO_WITHIN:
                yield Violation("G9", UNEXPECTED, f"the model's connection was open {late:.0f} ms after {nonce} ended")


INVARIANTS = (
    g1_all_accepted_is_stored,
    versions_are_whole,
    continued_text_is_kept,
    forks_are_copies,
    each_has_its_place,
    g2_all_final,
    g3_final_is_final,
    g4_money_adds_up,
    g5_money_matches_outcomes,
    g6_completed_means_complete,
    g7_no_cross_talk,
    g8_convergence,
    turns_are_kept,
    g9_model_calls_bounded,
    g10_idempotent,
    g11_quiet_surface,
)
