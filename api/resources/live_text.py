"""Puts into messages what their rows lack: the text so far of running replies, and the places of waiting ones.

The text so far is the live text of Redis, or the checkpoint if that is longer.
"""

from types import SimpleNamespace
from typing import Any

from shared.actions.queue.places import QueuePlace, place_behind, queue_places
from shared.core import current_link
from shared.models.message import MessageRow
from shared.models.status import Status
from shared.redis import live_text


def with_live_text(found: list[MessageRow]) -> list[Any]:
    """The same messages of one user.

    A running reply gets the text so far as `content`, and the `next_index`. A waiting one gets its place as `queue`.
    """
    shown = _running(found) | _waiting(found)
    return [shown.get(message.id, message) for message in found]


def placed(reply: MessageRow, ahead: int) -> SimpleNamespace:
    """A waiting reply behind so many others, for a caller that knows their number."""
    return _placed(reply, place_behind(ahead))


def _running(found: list[MessageRow]) -> dict[str, SimpleNamespace]:
    running = [message for message in found if message.status == Status.RUNNING]
    texts = live_text.read(current_link(), [(message.id, message.attempt) for message in running]) if running else []
    return {message.id: _so_far(message, text) for message, text in zip(running, texts, strict=True)}


def _so_far(message: MessageRow, text: live_text.LiveText | None) -> SimpleNamespace:
    newer = text if text and text.next_index >= message.live_index else None
    content, next_index = (newer.text, newer.next_index) if newer else (message.content, message.live_index)
    return SimpleNamespace(**message._asdict() | {"content": content, "next_index": next_index})


def _waiting(found: list[MessageRow]) -> dict[str, SimpleNamespace]:
    waiting = {message.id: message for message in found if message.status == Status.PENDING}
    places = queue_places(next(iter(waiting.values())).owner_id, waiting) if waiting else {}
    return {reply_id: _placed(waiting[reply_id], place) for reply_id, place in places.items()}


def _placed(message: MessageRow, place: QueuePlace) -> SimpleNamespace:
    return SimpleNamespace(**message._asdict(), queue=place)
