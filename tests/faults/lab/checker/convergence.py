"""G8: clients know what the rows say, whether they read everything anew, follow by numbers, or hear events."""

from collections import Counter
from collections.abc import Iterator
from typing import Any

from tests.faults.lab.checker.rules import Rules
from tests.faults.lab.checker.violation import DOUBLED, UNEXPECTED, Violation
from tests.faults.lab.evidence import Evidence


def g8_convergence(seen: Evidence, rules: Rules) -> Iterator[Violation]:
    for user_id, user in seen.users.items():
        yield from shown_otherwise(seen, user_id)
        if user_id in seen.synced:
            yield from synced_otherwise(seen, user_id)
        elif user.deleted_at is None and user.disabled_at is None:
            yield Violation("G8", UNEXPECTED, f"/sync refuses user {user_id}")
    for user_id, heard in seen.heard.items():
        yield from told_otherwise(seen, user_id, heard)
        yield from versions_told_otherwise(seen, heard)
        yield from live_text_otherwise(heard)


def shown_otherwise(seen: Evidence, user_id: str) -> Iterator[Violation]:
    """The differences between the rows and the lists of REST, as this user reads them."""
    shown_to = seen.shown[user_id]
    own = [row for row in seen.messages.values() if row.owner_id == user_id and row.deleted_at is None]
    there = {row.id for row in own if row.shown}
    for message_id in there ^ shown_to.keys():
        yield Violation("G8", UNEXPECTED, f"message {message_id} is not both stored and shown")
    for message_id in there & shown_to.keys():
        row, shown = seen.messages[message_id], shown_to[message_id]
        stored = (
            row.status,
            row.content,
            row.message_type,
            row.attempt,
            row.position,
            row.credits_charged,
            row.error_code,
        )
        error = shown["error"] and shown["error"]["code"]
        told = (shown["status"], shown["content"], shown["messageType"], shown["attempt"], shown["position"])
        if stored != (*told, shown["credits"]["charged"], error) or not _is_of_version(shown, row):
            yield Violation("G8", UNEXPECTED, f"REST shows message {message_id} otherwise than it is stored")
    for root, listed in seen.versions.items():
        group = [row for row in own if root in (row.id, row.version_of)]
        if group and [item["id"] for item in listed] != [row.id for row in sorted(group, key=lambda row: row.version)]:
            yield Violation("G8", UNEXPECTED, f"REST lists other versions of {root} than are stored")


def _is_of_version(told: dict[str, Any], row: Any) -> bool:
    """Whether these are the row's own version, root, visibility and beginning."""
    return told.items() >= _version(row).items()


def _version(row: Any) -> dict[str, Any]:
    return {
        "version": row.version,
        "versionOf": row.version_of,
        "shown": bool(row.shown),
        "continues": row.continues,
        "replyTo": row.reply_to,
    }


def synced_otherwise(seen: Evidence, user_id: str) -> Iterator[Violation]:
    """The differences between `GET /sync`, followed from the start, and this user's rows and money."""
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


def told_otherwise(seen: Evidence, user_id: str, heard: list[Any]) -> Iterator[Violation]:
    """Final events that differ from the rows, come twice, or have more text after them."""
    ended: set[str] = set()
    numbers = Counter(event.data["seq"] for event in heard if event.data and "seq" in event.data)
    for seq, count in numbers.items():
        if count > 1:
            yield Violation("G8", DOUBLED, f"number {seq} was told {count} times")
        if user_id in seen.users and seq > seen.users[user_id].seq:
            yield Violation("G8", UNEXPECTED, f"number {seq} was told, and never taken")
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
        elif row.deleted_at is None and event.data.get("content", row.content) != row.content:
            yield Violation("G8", UNEXPECTED, f"{event.name} of {event.data['id']} brings another text")


def versions_told_otherwise(seen: Evidence, heard: list[Any]) -> Iterator[Violation]:
    """Last events of a message whose version is not the stored one."""
    for event in heard:
        data = event.data or {}
        row = seen.messages.get(data["id"]) if "versionOf" in data else None
        if row is not None and row.seq == data.get("seq") and not _is_of_version(data, row):
            yield Violation("G8", UNEXPECTED, f"{event.name} tells another version of {row.id} than is stored")


def live_text_otherwise(heard: list[Any]) -> Iterator[Violation]:
    """Pieces of text that come twice, or that belong to a replaced attempt."""
    newest: dict[str, int] = {}
    pieces: set[tuple[str, int, int]] = set()
    for event in heard:
        if event.name not in ("message.started", "message.delta"):
            continue
        reply_id, attempt = event.data.get("messageId") or event.data["id"], event.data["attempt"]
        if attempt < newest.get(reply_id, 0):
            yield Violation("G8", UNEXPECTED, f"{event.name} of attempt {attempt} at {reply_id} after a newer one")
        newest[reply_id] = max(attempt, newest.get(reply_id, 0))
        if event.name == "message.delta":
            piece = (reply_id, attempt, event.data["index"])
            if piece in pieces:
                yield Violation("G8", DOUBLED, f"piece {piece} was told twice")
            pieces.add(piece)


def _due(seen: Evidence, user_id: str) -> dict[str, dict[str, Any]]:
    """The facts that `GET /sync` must tell, by row id. The tombstone of a chat stands for all its messages."""
    chats = {row.id: row for row in seen.chats.values() if row.owner_id == user_id}
    own = [row for row in seen.messages.values() if row.owner_id == user_id]
    gone = {chat.id for chat in chats.values() if chat.deleted_at is not None}
    left = [row for row in own if row.chat_session_id not in gone]
    return {row.id: _as_told(row) for row in [*chats.values(), *left]}


def _as_told(row: Any) -> dict[str, Any]:
    if row.deleted_at is not None:
        return {"seq": row.seq, "deleted": True}
    if hasattr(row, "reply_to"):
        told = {"status": row.status, "content": row.content, "attempt": row.attempt, "messageType": row.message_type}
        return {"seq": row.seq, "position": row.position, **told, **_version(row)}
    return {"seq": row.seq, "title": row.title, "parked": row.parked_at is not None}
