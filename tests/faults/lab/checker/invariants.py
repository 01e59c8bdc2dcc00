"""The invariants G1 to G11. Each is a function that yields violations. The promises define them, not the code."""

from collections import Counter, defaultdict
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

from tests.fair_clock import CLOCK
from tests.fake_script import Script
from tests.faults.lab.checker.convergence import g8_convergence
from tests.faults.lab.checker.keys import g10_idempotent
from tests.faults.lab.checker.money import g4_money_adds_up, g5_money_matches_outcomes
from tests.faults.lab.checker.rules import FINAL, LETS_GO_WITHIN, MAX_ACTIVE, MAX_FAILURES, Rules
from tests.faults.lab.checker.surface import g7_no_cross_talk, g11_quiet_surface
from tests.faults.lab.checker.texts import g6_completed_means_complete
from tests.faults.lab.checker.violation import DOUBLED, LOST, UNEXPECTED, Violation
from tests.faults.lab.evidence import Evidence
from tests.faults.lab.history import Outcome


def g1_one_placeholder_each(seen: Evidence, rules: Rules) -> Iterator[Violation]:
    for outcome in seen.outcomes:
        if outcome.kind == "ok" and not _is_stored(seen, outcome):
            yield Violation("G1", LOST, f"accepted, but not stored as it was posted: {outcome.nonce}")
    answered = Counter(reply.reply_to for reply in seen.replies)
    for message in seen.messages.values():
        if message.message_type == "user" and answered[message.id] != 1:
            kind = DOUBLED if answered[message.id] else LOST
            yield Violation("G1", kind, f"{answered[message.id]} replies to message {message.id}")
        if message.deleted_at and not _was_to_be_deleted(seen, message):
            yield Violation("G1", LOST, f"message {message.id} was deleted, though nobody asked for it")
    for reply in seen.replies:
        asked = seen.messages.get(reply.reply_to)
        if asked is None or (asked.owner_id, asked.chat_session_id) != (reply.owner_id, reply.chat_session_id):
            yield Violation("G1", UNEXPECTED, f"reply {reply.id} to no message of its chat")
    for note in seen.notes:
        if note.what == "removed":
            yield Violation("G1", LOST, f"message {note.was} of user {note.whose} left no row")


def each_has_its_place(seen: Evidence, rules: Rules) -> Iterator[Violation]:
    """In a chat, no two messages have one place, and a reply stands behind its question."""
    for (chat, place), count in Counter((row.chat_session_id, row.position) for row in seen.messages.values()).items():
        if count > 1:
            yield Violation("places", DOUBLED, f"{count} messages of chat {chat} have the place {place}")
    for reply in seen.replies:
        asked = seen.messages.get(reply.reply_to)
        if asked and reply.position < asked.position:
            yield Violation("places", UNEXPECTED, f"reply {reply.id} stands before its question")


def _is_stored(seen: Evidence, outcome: Outcome) -> bool:
    message, reply = seen.messages.get(outcome.message_id), seen.messages.get(outcome.reply_id)
    if message is None or reply is None or reply.reply_to != message.id:
        return False
    place = (message.owner_id, message.chat_session_id, message.message_type)
    return place == (outcome.user_id, outcome.chat_id, "user") and (
        message.deleted_at is not None or message.content in _last_texts(seen, outcome)
    )


def _last_texts(seen: Evidence, outcome: Outcome) -> set[str]:
    """The texts that a message may have: that of its last accepted edit, and those of edits without an answer."""
    changes = [outcome, *seen.edits(outcome.message_id)]
    last = max(number for number, change in enumerate(changes) if change.kind == "ok")
    return {changes[last].content} | {change.content for change in changes if change.kind == "unknown"}


def _was_to_be_deleted(seen: Evidence, message: Any) -> bool:
    """Whether the owner deleted the message itself, the message that it answers, its chat, or the account."""
    chat = f"/chats/{message.chat_session_id}"
    ids = (message.id, message.reply_to)
    paths = {f"{chat}/{place}/{one}" for one in ids for place in ("messages", "queue")} | {chat, "/me"}
    return any(
        call.user_id == message.owner_id
        and call.kind != "fail"
        and call.request in {f"DELETE {path}" for path in paths}
        for call in seen.other_calls
    )


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
        if len(requests) > most + _shortened(requests):
            yield Violation("G9", DOUBLED, f"{len(requests)} requests in {most} attempts at {reply.id}")
        if reply.attempt > reply.failures + reply.drains + 1 or reply.failures > MAX_FAILURES:
            yield Violation("G9", UNEXPECTED, f"reply {reply.id}: {reply.attempt} attempts, {reply.failures} failures")
        if reply.attempt != claims[reply.id]:
            yield Violation("G9", UNEXPECTED, f"reply {reply.id}: {reply.attempt} attempts, {claims[reply.id]} claims")
        ends = [request.closed_at or float("inf") for request in requests]
        overlap = any(later.opened_at < end for end, later in zip(ends, requests[1:], strict=False))
        if overlap and not rules.overlap:
            yield Violation("G9", DOUBLED, f"two requests at once for reply {reply.id}")
    yield from () if rules.overlap else _let_go(seen, nonces)


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
    g1_one_placeholder_each,
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
