"""Puts the text so far into running replies: the live text of Redis, or the checkpoint if that is longer."""

from types import SimpleNamespace
from typing import Any

from shared.core import current_link
from shared.models.message import MessageRow
from shared.models.status import Status
from shared.redis import live_text


def with_live_text(found: list[MessageRow]) -> list[Any]:
    """The same messages. A running reply gets the text so far as `content`, and the `next_index`."""
    running = [message for message in found if message.status == Status.RUNNING]
    texts = live_text.read(current_link(), [(message.id, message.attempt) for message in running]) if running else []
    shown = {message.id: _so_far(message, text) for message, text in zip(running, texts, strict=True)}
    return [shown.get(message.id, message) for message in found]


def _so_far(message: MessageRow, text: live_text.LiveText | None) -> SimpleNamespace:
    newer = text if text and text.next_index >= message.live_index else None
    content, next_index = (newer.text, newer.next_index) if newer else (message.content, message.live_index)
    return SimpleNamespace(**message._asdict() | {"content": content, "next_index": next_index})
