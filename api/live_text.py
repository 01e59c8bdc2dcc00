"""Puts the text so far into running replies: the live text, or the checkpoint where Redis has less."""

from shared import live
from shared.core import current_link
from shared.db import db
from shared.models import Message
from shared.models.message import Status


def with_live_text(found: list[Message]) -> list[Message]:
    """The same messages; those that run have `content` as far as it is known, and `next_index`."""
    running = [message for message in found if message.status == Status.RUNNING]
    db.session.expunge_all()  # what is shown is not to be stored
    if running:
        texts = live.read(current_link(), [(message.id, message.attempt) for message in running])
        for message, text in zip(running, texts, strict=True):
            _show_text_so_far(message, text)
    return found


def _show_text_so_far(message: Message, text: live.LiveText | None) -> None:
    newer = text if text and text.next_index >= message.live_index else None
    message.content = newer.text if newer else message.content
    message.next_index = newer.next_index if newer else message.live_index  # type: ignore[attr-defined]
