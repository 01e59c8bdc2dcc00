"""G8: what clients know that read everything anew, follow by numbers, or hear events, held against the rows."""

from collections import Counter
from collections.abc import Iterator
from typing import Any

from tests.faults.evidence import Evidence
from tests.faults.violation import DOUBLED, UNEXPECTED, Violation


def shown_otherwise(seen: Evidence) -> Iterator[Violation]:
    """Where the lists of REST differ from the rows."""
    there = {row.id for row in seen.messages.values() if row.deleted_at is None}
    for message_id in there ^ seen.shown.keys():
        yield Violation("G8", UNEXPECTED, f"message {message_id} is not both stored and shown")
    for message_id in there & seen.shown.keys():
        row, shown = seen.messages[message_id], seen.shown[message_id]
        if (row.status, row.content, row.message_type) != (shown["status"], shown["content"], shown["messageType"]):
            yield Violation("G8", UNEXPECTED, f"REST shows message {message_id} otherwise than it is stored")


def synced_otherwise(seen: Evidence, user_id: str) -> Iterator[Violation]:
    """Where `GET /sync`, followed from the start, differs from this user's rows and money."""
    user, synced = seen.users[user_id], seen.synced[user_id]
    if (synced.credits, synced.cursor) != ({"balance": user.credits, "held": user.held}, user.seq):
        yield Violation("G8", UNEXPECTED, f"/sync ends at {synced.cursor} with {synced.credits} for user {user_id}")
    due = _due(seen, user_id)
    for row_id in due.keys() ^ synced.rows.keys():
        yield Violation("G8", UNEXPECTED, f"row {row_id} is not both due and told by /sync")
    for row_id in due.keys() & synced.rows.keys():
        told = {name: synced.rows[row_id].get(name) for name in due[row_id]}
        if told != due[row_id]:
            yield Violation("G8", UNEXPECTED, f"/sync tells {told} of row {row_id}, not {due[row_id]}")


def told_otherwise(seen: Evidence, heard: list[Any]) -> Iterator[Violation]:
    """Final events that tell something else than the rows do, come twice, or are followed by more text."""
    ended: set[str] = set()
    numbers = Counter(event.data["seq"] for event in heard if event.data and "seq" in event.data)
    for seq, count in numbers.items():
        if count > 1:
            yield Violation("G8", DOUBLED, f"number {seq} was told {count} times")
    for event in heard:
        if event.name == "message.delta" and event.data["messageId"] in ended:
            yield Violation("G8", UNEXPECTED, f"text of {event.data['messageId']} after its end")
        if event.name not in ("message.completed", "message.failed", "message.cancelled"):
            continue
        row = seen.messages.get(event.data["id"])
        if event.data["id"] in ended:
            yield Violation("G8", DOUBLED, f"reply {event.data['id']} was told to end twice")
        ended.add(event.data["id"])
        told = (event.data["status"], event.data["attempt"], event.data["credits"]["charged"])
        if row is None or told != (row.status, row.attempt, row.credits_charged):
            yield Violation("G8", UNEXPECTED, f"{event.name} of {event.data['id']} says {told}")


def _due(seen: Evidence, user_id: str) -> dict[str, dict[str, Any]]:
    """Of each row by its id; the tombstone of a chat stands for all its messages."""
    chats = {row.id: row for row in seen.chats.values() if row.owner_id == user_id}
    own = [row for row in seen.messages.values() if row.owner_id == user_id]
    left = [row for row in own if chats[row.chat_session_id].deleted_at is None]
    return {row.id: _as_told(row) for row in [*chats.values(), *left]}


def _as_told(row: Any) -> dict[str, Any]:
    if row.deleted_at is not None:
        return {"seq": row.seq, "deleted": True}
    if hasattr(row, "reply_to"):
        return {"seq": row.seq, "status": row.status, "content": row.content, "attempt": row.attempt}
    return {"seq": row.seq, "title": row.title, "parked": row.parked_at is not None}
