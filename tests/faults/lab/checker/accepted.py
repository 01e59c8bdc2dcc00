"""G1: each accepted call has its rows, and each question has as many replies as calls asked for."""

from collections import Counter
from collections.abc import Iterator
from typing import Any

from tests.faults.lab.checker.rules import Rules
from tests.faults.lab.checker.violation import DOUBLED, LOST, UNEXPECTED, Violation
from tests.faults.lab.evidence import Evidence
from tests.faults.lab.history import AGAIN, Outcome


def g1_all_accepted_is_stored(seen: Evidence, rules: Rules) -> Iterator[Violation]:
    for call in seen.accepts:
        if call.kind == "ok" and not _is_stored(seen, call):
            yield Violation("G1", LOST, f"accepted, but not stored as it was posted: {call.op} {call.nonce}")
    yield from _answered(seen)
    for message in seen.messages.values():
        if message.deleted_at and not _was_to_be_deleted(seen, message):
            yield Violation("G1", LOST, f"message {message.id} was deleted, though nobody asked for it")
    for reply in seen.replies:
        asked = seen.messages.get(reply.reply_to)
        if asked is None or (asked.owner_id, asked.chat_session_id) != (reply.owner_id, reply.chat_session_id):
            yield Violation("G1", UNEXPECTED, f"reply {reply.id} to no message of its chat")
    for note in seen.notes:
        if note.what == "removed":
            yield Violation("G1", LOST, f"message {note.was} of user {note.whose} left no row")


def _answered(seen: Evidence) -> Iterator[Violation]:
    """One reply for the message itself, if it wants one, and one for each call that asked again."""
    answered = Counter(reply.reply_to for reply in seen.replies)
    for message in seen.messages.values():
        if message.message_type != "user":
            continue
        again = [call for call in seen.other_calls if call.op in AGAIN and _is_about(seen, call, message)]
        known = {call.reply_id for call in again if call.kind == "ok"}
        told = {call.key for call in again if call.kind == "ok" and call.key}
        # a call without an answer may have made a reply, unless it was repeated until the answer came
        maybe = {call.key or number for number, call in enumerate(again) if call.kind == "unknown"} - told
        least = len(known) + (not seen.is_copy(message) and _wants_a_reply(seen, message))
        if not least <= answered[message.id] <= least + len(maybe):
            kind = DOUBLED if answered[message.id] > least else LOST
            yield Violation("G1", kind, f"{answered[message.id]} replies to message {message.id}, not {least}")


def _is_about(seen: Evidence, call: Outcome, message: Any) -> bool:
    """Whether this call asked for another reply to this message. Its path may name an earlier reply."""
    if call.kind == "ok":
        return call.message_id == message.id
    named = seen.messages.get(call.named)
    return call.named == message.id or (named is not None and named.reply_to == message.id)


def _wants_a_reply(seen: Evidence, message: Any) -> bool:
    posts = [call for call in seen.outcomes if call.kind != "fail" and not call.generates]
    return not any(
        call.message_id == message.id if call.kind == "ok" else call.content == message.content for call in posts
    )


def _is_stored(seen: Evidence, call: Outcome) -> bool:
    message, reply = seen.messages.get(call.message_id), seen.messages.get(call.reply_id)
    if message is None or bool(reply) != bool(call.reply_id) or (reply and reply.reply_to != message.id):
        return False
    place = (message.owner_id, message.chat_session_id, message.message_type)
    if place != (call.user_id, call.chat_id, "user"):
        return False
    return call.op in AGAIN or message.deleted_at is not None or message.content in _last_texts(seen, call)


def _last_texts(seen: Evidence, call: Outcome) -> set[str]:
    """The texts that a message may have: that of its last accepted edit, and those of edits without an answer."""
    changes = [call, *seen.edits(call.message_id)]
    last = max(number for number, change in enumerate(changes) if change.kind == "ok")
    return {changes[last].content} | {change.content for change in changes if change.kind == "unknown"}


def _was_to_be_deleted(seen: Evidence, message: Any) -> bool:
    """Whether the owner deleted the message, the one that it answers, a version of these, the chat, or the account."""
    chat = f"/chats/{message.chat_session_id}"
    question = seen.messages.get(message.reply_to, message)
    root = question.version_of or question.id
    ids = [message.id, *(row.id for row in seen.messages.values() if root in (row.id, row.version_of))]
    paths = {f"{chat}/{place}/{one}" for one in ids for place in ("messages", "queue")} | {chat, "/me"}
    return any(
        call.user_id == message.owner_id
        and call.kind != "fail"
        and call.request in {f"DELETE {path}" for path in paths}
        for call in seen.other_calls
    )
