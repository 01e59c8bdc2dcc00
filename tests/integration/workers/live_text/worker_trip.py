"""One trip of a worker to Redis."""

from typing import Any

from shared.core import current_link
from shared.redis import live_text
from shared.wire.events import Event, encode


def put(message_id: str, attempt: int, text: str, link: Any = None) -> int | None:
    """The answer to a worker's trip with this piece."""
    event = encode(Event("nobody", "message.delta", {"text": text}))
    lengths = live_text.append(link or current_link(), [live_text.Piece(message_id, attempt, text, event)])
    return lengths[0] if lengths else None
