"""Puts into messages what their rows lack: the text so far of open replies, and the places of waiting ones.

The text so far is the live text of Redis, or the checkpoint if that is longer.
"""

from types import SimpleNamespace
from typing import Any

from shared.actions.queue.places import QueuePlace, place_behind, queue_places
from shared.core import current_link
from shared.models.message import MessageRow
from shared.models.status import FINAL, Status
from shared.redis import live_text


def with_live_text(found: list[MessageRow]) -> list[Any]:
    """The same messages of one user.

    An open reply gets the text so far as `content`. While it waits for another attempt, that is the text of the last
    one. A running reply gets the `next_index` too, and a waiting one gets its place as `queue`.
    """
    texts, places = _texts(found), _places(found)
    return [_shown(message, texts.get(message.id, {}) | places.get(message.id, {})) for message in found]


def placed(reply: MessageRow, ahead: int) -> Any:
    """A waiting reply behind so many others, for a caller that knows their number."""
    return _shown(reply, {"queue": place_behind(ahead)})


def _texts(found: list[MessageRow]) -> dict[str, dict[str, Any]]:
    written = [message for message in found if message.attempt and message.status not in FINAL]
    texts = live_text.read(current_link(), [(message.id, message.attempt) for message in written]) if written else []
    return {message.id: _so_far(message, text) for message, text in zip(written, texts, strict=True)}


def _so_far(message: MessageRow, text: live_text.LiveText | None) -> dict[str, Any]:
    newer = text if text and text.next_index >= message.live_index else None
    content, next_index = (newer.text, newer.next_index) if newer else (message.content, message.live_index)
    running = {"next_index": next_index} if message.status == Status.RUNNING else {}
    return {"content": content} | running


def _places(found: list[MessageRow]) -> dict[str, dict[str, QueuePlace]]:
    waiting = [message for message in found if message.status == Status.PENDING]
    places = queue_places(waiting[0].owner_id, [message.id for message in waiting]) if waiting else {}
    return {reply_id: {"queue": place} for reply_id, place in places.items()}


def _shown(message: MessageRow, added: dict[str, Any]) -> Any:
    return SimpleNamespace(**message._asdict() | added) if added else message
